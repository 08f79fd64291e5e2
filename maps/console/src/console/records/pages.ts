/** The pages under `/records`, in the order of their own menu. */
import type { RouteRecordRaw } from 'vue-router'
import type { Role } from '../../shared/schema'

/** `menu` is the key of its word under `records.nav`, `for` the roles to whom the server opens it. */
export type RecordsPart = RouteRecordRaw & { path: string; menu?: string; for?: readonly Role[] }

export const PARTS: readonly RecordsPart[] = [
  { path: '', menu: 'compounds', component: () => import('./compounds/CompoundList.vue') },
  { path: 'compounds/:compound', props: true, component: () => import('./compounds/CompoundPage.vue') },
  {
    path: 'imports',
    menu: 'imports',
    for: ['administrator', 'dispatcher'],
    component: () => import('./imports/ImportPage.vue'),
  },
  { path: 'areas', menu: 'areas', component: () => import('./areas/AreasPage.vue') },
  {
    path: 'accounts',
    menu: 'accounts',
    for: ['administrator'],
    component: () => import('./accounts/AccountsPage.vue'),
  },
  { path: 'looks', menu: 'looks', for: ['administrator'], component: () => import('./looks/LooksPage.vue') },
]
