/** The words of the boards; each board's page adds them. */
import en from './words/en.json'
import zh from './words/zh.json'

export const WORDS = { 'zh-CN': zh, 'en-US': en }
