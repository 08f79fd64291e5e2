/** A password to be handed over: no letters that look like others, in groups that can be read out. */

const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789'
const GROUPS = 4
const GROUP = 4

/** About 79 bits by chance. */
export function makePassword(): string {
  const group = (): string => Array.from({ length: GROUP }, letter).join('')
  return Array.from({ length: GROUPS }, group).join('-')
}

/** Each letter as likely as any other: numbers past the last whole round are thrown again. */
function letter(): string {
  const round = 256 - (256 % LETTERS.length)
  for (;;) {
    const [thrown = round] = crypto.getRandomValues(new Uint8Array(1))
    if (thrown < round) return LETTERS.charAt(thrown % LETTERS.length)
  }
}
