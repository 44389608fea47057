import { LIST_OF_PARTS } from './catalogue-row.ts'
import type { CatalogueRow } from './catalogue-row.ts'
import type { Form } from './catalogue-row.ts'
import { range } from './ranges.ts'

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

const IN_CASE = 'with letters of ASCII in either case'

/** What is put in for the first match, or for each. DuckDB's options: a point is any sign (`s`), all matches (`g`). */
function replaced(isEach: boolean): Pick<CatalogueRow, 'duckdb' | 'postgres'> {
  return {
    duckdb: ({ a, b, c }) => `regexp_replace(${a}, ${b}, ${c}, '${isEach ? 'gs' : 's'}')`,
    postgres: ({ a, b, c }) => `regexp_replace(${a}, ${b}, ${c}${isEach ? ", 'g'" : ''})`,
  }
}

/** What was found, which is null where nothing was; DuckDB has an empty text there. */
function found(group: 0 | 1, postgres: Form): Pick<CatalogueRow, 'duckdb' | 'postgres' | 'prints'> {
  return {
    prints: 2,
    duckdb: ({ a, b }) =>
      `case when regexp_matches(${a}, ${b}, 's') then regexp_extract(${a}, ${b}, ${group}, 's') end`,
    postgres,
  }
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
  replace_match: {
    kind: 'function',
    names: ['regexp_replace'],
    takes: ['text', 'searched expression', 'replacement'],
    gives: 'text',
    says: 'the first match; the pattern is written out, without alternatives, with groups that come once, and matches something; the replacement is written out, with `\\1` to `\\9` each once at most, and no longer than the shortest match, so that no text grows',
    ...replaced(false),
  },
  replace_matches: {
    kind: 'function',
    names: ['regexp_replace'],
    takes: ['text', 'searched expression', 'replacement', { constant: 'each match' }],
    gives: 'text',
    says: 'each match',
    ...replaced(true),
  },
  replace_match_in_either_case: {
    kind: 'function',
    names: ['regexp_replace'],
    takes: ['text', 'folded searched expression', 'replacement', { constant: 'either case' }],
    gives: 'text',
    says: IN_CASE,
    ...replaced(false),
  },
  replace_matches_in_either_case: {
    kind: 'function',
    names: ['regexp_replace'],
    takes: ['text', 'folded searched expression', 'replacement', { constant: 'each in either case' }],
    gives: 'text',
    says: `each match, ${IN_CASE}`,
    ...replaced(true),
  },
  match_of: {
    kind: 'function',
    names: ['regexp_substr'],
    takes: ['text', 'searched expression'],
    gives: 'text',
    says: 'the first match, null where there is none; patterns as those of `regexp_replace`',
    ...found(0, ({ a, b }) => `regexp_substr(${a}, ${b})`),
  },
  group_of: {
    kind: 'function',
    names: ['substring'],
    takes: ['text', 'found expression'],
    gives: 'text',
    says: 'also `substring(x from pattern)`: what the first group found, or all of the match where there is no group; null where nothing is found',
    ...found(1, ({ a, b }) => `substring(${a} from ${b})`),
  },
  count_matches: {
    kind: 'function',
    names: ['regexp_count'],
    takes: ['text', 'searched expression'],
    gives: 'integer',
    makes: LIST_OF_PARTS,
    duckdb: ({ a, b }) => `cast(len(regexp_extract_all(${a}, ${b}, 0, 's')) as bigint)`,
    postgres: ({ a, b }) => `cast(regexp_count(${a}, ${b}) as bigint)`,
    range: () => range(0, 1e9),
  },
} as const satisfies Readonly<Record<string, CatalogueRow>>
