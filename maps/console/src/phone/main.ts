import { createApp } from 'vue'
import { makeI18n } from '../shared/i18n'
import App from './App.vue'
import { soundWhenTouched } from './ring'
import './phone.css'
import en from './words/en.json'
import zh from './words/zh.json'

soundWhenTouched()
createApp(App)
  .use(makeI18n({ 'zh-CN': zh, 'en-US': en }))
  .mount('#app')
