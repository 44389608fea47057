/** What a field of a CSV file may hold; nothing is an empty field. */
export type CsvValue = string | number | boolean | null

/**
 * A line of CSV with its end (RFC 4180). A text that a spreadsheet would take for a formula keeps a quote before it (OWASP,
 * CSV injection; some read the wide signs of East Asian text alike): whoever opens the file did not write it. Numbers stay numbers,
 * in texts too.
 */
export function csvLine(values: readonly CsvValue[]): string {
  return `${values.map(csvField).join(',')}\r\n`
}

function csvField(value: CsvValue): string {
  if (value === null) return ''
  const text = typeof value === 'string' && isFormula(value) ? `'${value}` : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

function isFormula(text: string): boolean {
  return /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/.test(text) && Number.isNaN(Number(text))
}
