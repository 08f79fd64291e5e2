/** What stands under "now" in an emergency, each loaded by itself: once for all, so that it is there at once when one comes back to it. */
import { defineAsyncComponent } from 'vue'

const loadCall = () => import('../call/CallCard.vue')
const loadOffer = () => import('../command/OfferCard.vue')
const loadCommand = () => import('../command/CommandCard.vue')
export const CallCard = defineAsyncComponent(loadCall)
export const OfferCard = defineAsyncComponent(loadOffer)
export const CommandCard = defineAsyncComponent(loadCommand)

/** Fetched while there is a network: when they are needed there may be none. Where it fails now, it is tried again then. */
export const fetchCards = () => Promise.allSettled([loadCall(), loadOffer(), loadCommand()])
