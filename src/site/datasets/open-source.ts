import { LIMITS } from '../../kernel/limits.ts'
import type { CsvForm } from '../../protocol/csv-form.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import type { ImportFormat } from '../../protocol/http/data-set-api.ts'
import { unusableFile } from './import-problem.ts'
import type { ImportReader } from './import-reader.ts'
import { csvSource } from './read-csv.ts'
import { ndjsonSource, requireObjectLines } from './read-ndjson.ts'
import { parquetSource } from './read-parquet.ts'
import { isGzip, measureText } from './read-text.ts'
import type { ImportSource } from './source-field.ts'

/** Reads a file's beginning and says how its columns are read; refuses unknown, missing and repeated columns. */
export async function openSource(
  reader: ImportReader,
  {
    path,
    sizeBytes,
    format,
    manifest,
    form,
  }: {
    path: string
    sizeBytes: number
    format: ImportFormat
    manifest: Manifest
    form?: CsvForm | undefined
  },
): Promise<ImportSource> {
  if (sizeBytes === 0) throw unusableFile('it is empty')
  const isPacked = await isGzip(path)
  if (format !== 'parquet')
    await measureText(path, { isPacked, sizeBytes, lineBytesMax: LIMITS.importLineBytesMax[format] })
  switch (format) {
    case 'csv':
      return csvSource({ path, isPacked, manifest, form })
    case 'ndjson':
      await requireObjectLines(path, { isPacked })
      return ndjsonSource({ path, isPacked, manifest })
    case 'parquet':
      return parquetSource(reader, { path, sizeBytes, manifest })
  }
}
