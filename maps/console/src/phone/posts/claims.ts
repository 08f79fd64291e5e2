/** Posts asked for and given up: written down first, sent when there is a network. What was given up can be asked for again. */
import { computed, ref } from 'vue'
import type { HeldPost } from '../../shared/schema'
import { useHere } from '../here'
import type { Title } from '../titles'

/** A post that this person gave up: who has no other in the compound no longer sees its posts. */
export interface GivenUp {
  post: string
  /** What it is; `null` where the catalogue lost it. */
  kind: Title | null
  compoundName: string
}
const KEPT = 'muster.given_up'
/** Posts that a phone remembers. */
const KEPT_MAX = 10

function kept(me: string): GivenUp[] {
  try {
    // Only this module writes it.
    return JSON.parse(localStorage.getItem(`${KEPT}.${me}`) ?? '[]') as GivenUp[]
  } catch {
    return []
  }
}
/** One list for all parts of the page. */
const givenUp = ref<GivenUp[]>([])

const pathOf = (post: string): string => {
  const [compound, no] = post.split('#')
  return `/api/v1/compounds/${compound}/posts/${no}/claims`
}

export function useClaims() {
  const { state, outbox } = useHere()
  const { me } = state.value
  givenUp.value = kept(me)

  function remember(posts: GivenUp[]): void {
    givenUp.value = posts.slice(-KEPT_MAX)
    try {
      localStorage.setItem(`${KEPT}.${me}`, JSON.stringify(givenUp.value))
    } catch {
      // A full disk: it is remembered as long as the page is open.
    }
  }
  const others = (post: string): GivenUp[] => givenUp.value.filter((one) => one.post !== post)

  async function claim(post: string, about: string): Promise<void> {
    await outbox.value?.add({ path: pathOf(post), body: {}, epoch: null, about })
    remember(others(post))
  }
  async function release({ post, kind }: HeldPost, compoundName: string, about: string): Promise<void> {
    await outbox.value?.add({ path: `${pathOf(post)}/${me}/release`, body: {}, epoch: null, about })
    remember([...others(post), { post, kind: kind ?? null, compoundName }])
  }
  /** Whoever commands takes in, or turns down, who asks for a post. */
  async function decide(
    post: string,
    person: string,
    grants: boolean,
    epoch: number | null,
    about: string,
  ): Promise<void> {
    const path = `${pathOf(post)}/${person}/${grants ? 'grant' : 'release'}`
    await outbox.value?.add({ path, body: {}, epoch, about })
  }
  const isOnItsWay = (post: string): boolean =>
    outbox.value?.waiting.value.some((entry) => !entry.refused && entry.path.startsWith(pathOf(post))) ?? false
  /** Not those held again meanwhile. */
  const toAskAgain = computed(() => {
    const held = new Set(state.value.places.flatMap((place) => place.posts.map(({ post }) => post)))
    return givenUp.value.filter((one) => !held.has(one.post))
  })
  return { claim, release, decide, isOnItsWay, toAskAgain }
}
