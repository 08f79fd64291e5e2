/** The pages of the console, in the order of the menu. Each but the map comes when it is first opened. */
import type { RouteRecordRaw } from 'vue-router'
import MapPage from './map/MapPage.vue'
import { PARTS } from './records/pages'

/**
 * `menu` is the key of its word under `nav`; a page without one is reached from another page. Of `meta`, `commands` keeps a page for
 * those who command somewhere: others get there by an address alone, and are told so.
 */
export type ConsolePage = RouteRecordRaw & { path: string; menu?: string }

export const PAGES: readonly ConsolePage[] = [
  { path: '/', menu: 'map', component: MapPage },
  { path: '/alerts', menu: 'alerts', component: () => import('./alerts/AlertsPage.vue') },
  { path: '/alerts/new', meta: { commands: true }, component: () => import('./compose/ComposePage.vue') },
  {
    path: '/alerts/:alert/calls',
    meta: { commands: true },
    component: () => import('./alerts/follow/CallListPage.vue'),
  },
  { path: '/incidents', menu: 'incidents', component: () => import('./board/IncidentsPage.vue') },
  { path: '/duty', menu: 'duty', component: () => import('./board/DutyPage.vue') },
  { path: '/roll', menu: 'roll', component: () => import('./board/RollPage.vue') },
  { path: '/paper', menu: 'paper', component: () => import('./paper/PaperPage.vue') },
  { path: '/records', menu: 'records', component: () => import('./records/RecordsPage.vue'), children: [...PARTS] },
  { path: '/log', menu: 'log', component: () => import('./log/LogPage.vue') },
  { path: '/log/replay', component: () => import('./log/replay/ReplayPage.vue') },
]
