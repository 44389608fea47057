import fc from 'fast-check'

/* Regular expressions, most of which the gate takes; some quantify what may not be, or leave something out. */

const atom = fc.constantFrom(
  'a',
  'b',
  'z',
  ' ',
  '.',
  'é',
  'e\u0301',
  '\u{1F986}',
  'ß',
  "'",
  '\\.',
  '\\\\',
  '\\%',
  '[a-z]',
  '[^a-z]',
  '[0-9_]',
  '[^ ]',
  '[é\u{1F986}]',
  '[-a]',
  '[a\\]b]',
  '\\d',
  '\\w',
  '\\W',
  '\\s',
  '\\S',
  '[\\d%]',
  '-',
)
const quantifier = fc.constantFrom('', '', '', '*', '+', '?', '{2}', '{1,}', '{0,3}', '{2,5}')
const branch = fc
  .array(
    fc.tuple(atom, quantifier).map((both) => both.join('')),
    { minLength: 1, maxLength: 4 },
  )
  .map((parts) => parts.join(''))
const alternatives = fc.array(branch, { minLength: 1, maxLength: 3 }).map((branches) => branches.join('|'))

/** Texts of patterns. */
export const arbitraryPattern: fc.Arbitrary<string> = fc.oneof(
  alternatives,
  fc
    .tuple(fc.constantFrom('', '^'), branch, alternatives, quantifier, branch, fc.constantFrom('', '$'))
    .map(
      ([start, before, inner, counted, after, end]) => `${start}${before}(${inner})${counted}${after}${end}`,
    ),
)

const run = fc.array(
  fc.tuple(atom, quantifier).map((both) => both.join('')),
  { maxLength: 3 },
)

/** Texts of patterns without alternatives, whose groups come once. */
export const arbitrarySearched: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom('', '', '^'), run, fc.option(run, { nil: [] }), run, fc.constantFrom('', '', '$'))
  .map(([start, before, inner, after, end]) => {
    const group = inner.length > 0 ? `(${inner.join('')})` : ''
    return `${start}${before.join('')}${group}${after.join('')}${end}`
  })
