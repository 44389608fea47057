import { keyColumnsOf } from '../../protocol/data-set.ts'
import type { Column, Manifest } from '../../protocol/data-set.ts'

/** How one column of a manifest lies in the vault. */
export interface StoredColumn {
  readonly column: Column
  /** Under the key of the person that it is about, as a BLOB; it can stand in no question. */
  readonly isSealed: boolean
}

/**
 * The columns that are kept in rows, in order. The columns that name people are none of them: the number stands
 * for them, and their value is kept once, sealed, per person and data set.
 */
export function storedColumns(manifest: Manifest): readonly StoredColumn[] {
  const keys = keyColumnsOf(manifest)
  return manifest.columns
    .filter(({ name }) => !keys.includes(name))
    .map((column) => ({ column, isSealed: isSealed(column) }))
}

/** Direct identifiers and free text are sealed: destroying the person's key erases them everywhere (security model, Keys). */
export function isSealed({ sensitivity }: Column): boolean {
  return sensitivity === 'direct_identifier' || sensitivity === 'free_text'
}

/** The table of a data set. */
export function tableOf(dataSet: string): string {
  return `ds_${dataSet}`
}

/** The column that holds the person's number. */
export const PERSON_COLUMN = '_p'
