/** One report that this phone has to hand in: kept until the server has it, whatever happens to the page or the phone. */
export interface Entry {
  /** The command's id, made with the report: however often it is sent, it is done once. */
  id: string
  /** Whose it is: a person's id, or a household. Another person's sign-in on this phone does not send it. */
  owner: string
  /** Where it goes. */
  path: string
  /** What it is about, for the server: of the entries with the same, none is sent before an earlier one has arrived. */
  line?: string
  /** What is sent, as JSON text: nothing that lives on in the page can change it. */
  body: string
  /** The epoch of the command under which it was made, for orders of a commander. */
  epoch: number | null
  /** When it was made, ms since 1970. */
  madeAt: number
  /** What it is about, to be shown while it waits: a flat, an alert's headline. */
  about: string
  /** The server refused it for good; it is shown until the person has read it. */
  refused?: { zh: string; en: string }
}
