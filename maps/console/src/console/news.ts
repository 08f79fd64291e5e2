/** Events as they happen, for a part of the console while it is there. */
import { onBeforeUnmount } from 'vue'
import type { NoticeBody } from '../shared/schema'
import { city } from './city'

/** @param tell is told of every event that concerns the dispatcher, and when it happened */
export function useNews(tell: (event: NoticeBody, at: string) => void): void {
  onBeforeUnmount(city.onNews(tell))
}
