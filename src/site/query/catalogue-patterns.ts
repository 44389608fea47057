import type { CatalogueRow } from './catalogue-row.ts'
import type { Form } from './catalogue-row.ts'

/**
 * A table: regular expressions. DuckDB matches by RE2, where a point leaves out the end of a line unless it is told; to
 * PostgreSQL it is any sign. The pattern is read and written anew (`regular-expression.ts`).
 */
const matches: Pick<CatalogueRow, 'duckdb' | 'postgres'> = {
  duckdb: ({ a, b }) => `regexp_matches(${a}, ${b}, 's')`,
  postgres: ({ a, b }) => `(${a} ~ ${b})`,
}

function notOf(form: Form): Form {
  return (args) => `(not ${form(args)})`
}

export const PATTERNS = {
  matches: {
    kind: 'operator',
    names: ['~', 'regexp_like'],
    takes: ['text', 'regular expression'],
    gives: 'boolean',
    says: 'the pattern is written out: letters, `.`, `[…]`, `\\d`, `\\w`, `\\s` of ASCII, `^`, `$`, `( | )`, `*`, `+`, `?`, `{m,n}`',
    ...matches,
  },
  matches_in_either_case: {
    kind: 'operator',
    names: ['~*'],
    takes: ['text', 'folded expression'],
    gives: 'boolean',
    says: 'the same, with letters of ASCII in either case; other letters that have two cases are declined',
    ...matches,
  },
  not_matches_in_either_case: {
    kind: 'operator',
    names: ['!~*'],
    takes: ['text', 'folded expression'],
    gives: 'boolean',
    duckdb: notOf(matches.duckdb),
    postgres: notOf(matches.postgres),
  },
  not_matches: {
    kind: 'operator',
    names: ['!~'],
    takes: ['text', 'regular expression'],
    gives: 'boolean',
    duckdb: notOf(matches.duckdb),
    postgres: notOf(matches.postgres),
  },
} as const satisfies Readonly<Record<string, CatalogueRow>>
