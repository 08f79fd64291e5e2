/** A file to the server, as it is: its bytes are not read here, for what is no UTF-8 has to be said and not mended. */
import { api, Refused } from '../../../shared/api'
import type { Datum, ImportReport, Kind } from '../../../shared/schema'
import type { OrderHeader } from '../../order'

export interface ImportFile {
  kind: Kind
  file: Blob
  datum?: Datum
}

/**
 * @returns what the server says of the file, also where it has faults and nothing was taken in
 * @throws Refused when it was not looked at
 */
export async function sendFile(
  { kind, file, datum }: ImportFile,
  dryRun: boolean,
  header: OrderHeader,
): Promise<ImportReport> {
  const asked = api.POST('/api/v1/imports/{kind}', {
    params: { path: { kind }, query: { datum, dry_run: dryRun }, header },
    headers: { 'Content-Type': 'text/csv' },
    body: '',
    bodySerializer: () => file,
  })
  const { data, error, response } = await asked.catch(() => {
    throw Refused.unreachable()
  })
  const report: unknown = data ?? error
  if ((response.ok || response.status === 422) && isReport(report)) return report
  throw Refused.of(error, response)
}

const isReport = (answer: unknown): answer is ImportReport =>
  typeof answer === 'object' && answer !== null && 'faults' in answer && 'accepted' in answer

/** One area as a file of one row: entering or correcting it singly goes the way of all files. */
export function fileOfArea(code: string, name: string): Blob {
  return new Blob([`code,name\n${code},${cell(name)}\n`])
}

/** A cell of CSV. */
const cell = (text: string): string => `"${text.replaceAll('"', '""')}"`
