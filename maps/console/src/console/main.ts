import { createApp } from 'vue'
import { createRouter, createWebHistory } from 'vue-router'
import 'element-plus/theme-chalk/dark/css-vars.css'
import { makeI18n } from '../shared/i18n'
import App from './App.vue'
import './console.css'
import { PAGES } from './pages'
import en from './words/en.json'
import zh from './words/zh.json'

document.documentElement.classList.add('dark')
const router = createRouter({
  history: createWebHistory('/console'),
  routes: [...PAGES, { path: '/:rest(.*)*', redirect: '/' }],
})
createApp(App)
  .use(router)
  .use(makeI18n({ 'zh-CN': zh, 'en-US': en }))
  .mount('#app')
