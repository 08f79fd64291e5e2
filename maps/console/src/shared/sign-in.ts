/** What every form to sign in does; how it looks is the page's. */
import { ref } from 'vue'
import { Refused } from './api'

/** @param signIn throws `Refused` when the server says no */
export function useSignIn(signIn: (login: string, password: string) => Promise<void>) {
  const login = ref('')
  const password = ref('')
  const busy = ref(false)
  const fault = ref<Refused | null>(null)

  async function go(): Promise<void> {
    busy.value = true
    fault.value = null
    try {
      await signIn(login.value.trim(), password.value)
    } catch (why) {
      if (!(why instanceof Refused)) throw why
      fault.value = why
    } finally {
      busy.value = false
    }
  }
  return { login, password, busy, fault, go }
}
