/**
 * The filtered log as a file: CSV for spreadsheets, JSON Lines for programs. Oldest first, page by page, up to how the log stood when
 * it was begun. Only what the page shows goes into it.
 */
import Papa from 'papaparse'
import { api, take } from '../../shared/api'
import type { LogLine, LogPage } from '../../shared/schema'
import type { LogQuery } from './filter'

/** Lines of one file; what is left out is said. */
export const EXPORT_MAX = 100_000
/** Lines of one page of the server. */
const PAGE = 500
/** Tells spreadsheets that the text is UTF-8; without it Excel in China reads it as GBK. */
const BYTE_ORDER_MARK = '\uFEFF'
const CSV_LINE = '\r\n'

export type Format = 'csv' | 'jsonl'

/** How far an export has got. */
export interface Progress {
  lines: number
  /** Up to when the log was looked through. */
  lookedTo: string | null
  /** Whether it ends before the last line, because of `EXPORT_MAX`. */
  cut: boolean
}

/** How a file is written: what stands before the lines, and some of them. */
interface Writer {
  type: string
  head: string
  write(lines: LogLine[]): string
}

/** One row of the CSV, by its columns' names. */
export type Row = (line: LogLine) => string[]

/** What a spreadsheet would take for a formula is escaped by the library: a title is written by people. */
const csv = (cells: string[][]): string => Papa.unparse(cells, { escapeFormulae: true, newline: CSV_LINE }) + CSV_LINE

export const csvWriter = (columns: string[], row: Row): Writer => ({
  type: 'text/csv;charset=utf-8',
  head: BYTE_ORDER_MARK + csv([columns]),
  write: (lines) => (lines.length === 0 ? '' : csv(lines.map(row))),
})

/** `details` whether the events themselves go into it, where the reader may see them. */
export const jsonLinesWriter = (details: boolean): Writer => ({
  type: 'application/jsonl;charset=utf-8',
  head: '',
  write: (lines) =>
    lines.map(({ event, ...line }) => `${JSON.stringify(details ? { ...line, event } : line)}\n`).join(''),
})

/**
 * Reads all pages and writes them.
 * @param tell is told of each page; returns whether to go on
 * @returns the file; `null` when it was broken off
 * @throws Refused when the server refused or was not reached
 */
export async function exported(
  query: LogQuery,
  writer: Writer,
  tell: (progress: Progress) => boolean,
): Promise<Blob | null> {
  const parts = [writer.head]
  const progress: Progress = { lines: 0, lookedTo: null, cut: false }
  let end = Infinity
  for (let after: number | null = 0; after !== null;) {
    const page: LogPage = await take(api.GET('/api/v1/log', { params: { query: { ...query, after, limit: PAGE } } }))
    end = Math.min(end, page.end)
    const begun = page.items.filter((line) => line.position <= end)
    const lines = begun.slice(0, EXPORT_MAX - progress.lines)
    parts.push(writer.write(lines))
    progress.lines += lines.length
    progress.lookedTo = page.looked_to ?? progress.lookedTo
    after = typeof page.next === 'number' && page.next < end ? page.next : null
    progress.cut = lines.length < begun.length || (progress.lines >= EXPORT_MAX && after !== null)
    if (!tell({ ...progress })) return null
    if (progress.cut) break
  }
  return new Blob(parts, { type: writer.type })
}

/** Hands a file to the person. */
export function save(file: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(file)
  link.download = name
  link.click()
  // The browser has taken it by the next turn.
  setTimeout(() => URL.revokeObjectURL(link.href))
}
