/** A household's page, whole in one file (`household.html`): it is opened once in a life, from a code on a door, on the worst network. */
import { createApp } from 'vue'
import { makeI18n } from '../../shared/i18n'
import en from '../words/en.json'
import zh from '../words/zh.json'
import '../phone.css'
import HouseholdPage from './HouseholdPage.vue'

createApp(HouseholdPage)
  .use(makeI18n({ 'zh-CN': zh, 'en-US': en }))
  .mount('#app')
