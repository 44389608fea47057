/** What the grammar of PostgreSQL does not have, by the text before and from where it stops, and what to write instead. */
interface SyntaxHint {
  readonly before: RegExp
  readonly from: RegExp
  readonly write: string
}

const ANY = /(?:)/

const IN_SUB_SELECT =
  'put the SELECT into a sub-select, and the condition on its window into a WHERE around it'

/** A table: what people write who know another dialect. The first that fits is said; none holds anything of the text. */
const SYNTAX_HINTS: readonly SyntaxHint[] = [
  { before: /`[^`]*$/, from: ANY, write: 'names stand in double quotes' },
  { before: ANY, from: /^`/, write: 'names stand in double quotes' },
  { before: /\btop\s*\(?\s*$/i, from: /^\d/, write: 'write LIMIT at the end' },
  { before: ANY, from: /^top\b/i, write: 'write LIMIT at the end' },
  // In parentheses it is a call, and the grammar stops behind it.
  { before: /\btop\s*\(\s*\d+\s*\)[\s*]*(?:percent|with)?\s*$/i, from: ANY, write: 'write LIMIT at the end' },
  {
    before: /\bextract\s*\(\s*\w+\s*$/i,
    from: /^,/,
    write: 'write FROM between them, as in extract(year from t)',
  },
  {
    before: ANY,
    from: /^qualify\b/i,
    write: IN_SUB_SELECT,
  },
  // A word that the grammar does not know is a name for what stands before it: it stops one further.
  {
    before: /\bqualify\s*$/i,
    from: ANY,
    write: IN_SUB_SELECT,
  },
  {
    before: /\b(?:group|order)\s+by\s+all\s*$/i,
    from: ANY,
    write: 'name what to group or order by, or write its number, as in GROUP BY 1, 2',
  },
  {
    before: /\b(?:group|order)\s+by\s*$/i,
    from: /^all\b/i,
    write: 'name what to group or order by, or write its number, as in GROUP BY 1, 2',
  },
  {
    before: /,\s*$/,
    from: /^(?:from|where|group|order|having|limit|\))/i,
    write: 'there is a comma too many',
  },
  { before: /\*\s*$/, from: /^(?:exclude|replace)\b/i, write: 'name the columns instead of *' },
  { before: /\*\s*except\s*\(\s*$/i, from: ANY, write: 'name the columns instead of *' },
  { before: ANY, from: /^limit\s+\d+\s*,/i, write: 'write LIMIT and OFFSET' },
  { before: /\binterval\s+\d+\s*$/i, from: ANY, write: "write a span as interval '30 days'" },
  { before: /\binterval\s*$/i, from: /^\d/, write: "write a span as interval '30 days'" },
  {
    before: /\b(?:try_cast|safe_cast)\s*\([^()]*$/i,
    from: /^as\b/i,
    write: 'write CAST, which gives null for what is no such value',
  },
  {
    before: ANY,
    from: /^(?:try_cast|safe_cast)\b/i,
    write: 'write CAST, which gives null for what is no such value',
  },
  { before: ANY, from: /^(?:rlike|regexp|glob)\b/i, write: 'write ~, or LIKE' },
  {
    before: /\b(?:pivot|unpivot)\s*\(\s*\w*\s*$/i,
    from: ANY,
    write: 'write one aggregate with FILTER for each column',
  },
  { before: /\b(?:mod|div)\s*$/i, from: ANY, write: 'write % or /' },
]

/** What to write where the grammar stopped at a character; empty where nothing is known. */
export function syntaxHint(text: string, character: number): string {
  const characters = Array.from(text)
  const [before, from] = [characters.slice(0, character).join(''), characters.slice(character).join('')]
  const hint = SYNTAX_HINTS.find((one) => one.before.test(before) && one.from.test(from))
  return hint === undefined ? '' : `; ${hint.write}`
}
