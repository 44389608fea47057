import { send } from './every-route.ts'
import type { Call, Calls } from './every-route.ts'

/* A right call, and what becomes of it when one place of it holds what nobody means. */

const DEEP = 10_000

/** JSON texts of what no field means, or means at its edge; where a text is refused as JSON already, what comes after is not reached. */
const ODD: Readonly<Record<string, string>> = {
  'ten thousand lists': '['.repeat(DEEP) + ']'.repeat(DEEP),
  'ten thousand objects': '{"a":'.repeat(DEEP) + '1' + '}'.repeat(DEEP),
  'half a surrogate pair': '"\\ud800"',
  'a NUL': '"a\\u0000b"',
  'a prototype': '{"__proto__":{"odd":true},"constructor":{"prototype":{"odd":true}}}',
  'a number beyond all': '1e400',
  'a number beyond integers': '9007199254740993',
  'a number below': '-1e15',
  'a fraction': '0.1',
  'no such day': '"2026-02-30"',
  'no such moment': '"2026-02-30T25:61:00Z"',
  'a moment far away': '"9999-12-31T23:59:59.999Z"',
  'a moment beyond': '"+275760-09-13T00:00:00Z"',
  'a long duration': '"P999999999Y"',
  'a very long text': `"${'x'.repeat(100_000)}"`,
  'a text of four-byte characters': `"${'\u{1F41D}'.repeat(199)}"`,
  'a text that turns round': '"\\u202e‮zq"',
  'a name of every object': '"__proto__"',
  'a path': '"../../keys/signing.jwk"',
  'an empty text': '""',
  nothing: 'null',
  'an empty list': '[]',
  'an empty object': '{}',
  'a list of a thousand': `[${Array.from({ length: 1_000 }, () => '"x"').join(',')}]`,
  truth: 'true',
}

/** The same in an address. */
const ODD_PARTS: Readonly<Record<string, string>> = {
  'a NUL': '%00',
  'half a surrogate pair': '%ED%A0%80',
  'no UTF-8': '%ff',
  'a quote': '%27%20or%201=1--',
  'a name of every object': '__proto__',
  another: 'constructor',
  'a step up': '%2e%2e',
  'a slash': 'a%2Fb',
  'a long name': 'x'.repeat(5_000),
  'four-byte characters': encodeURIComponent('\u{1F41D}'.repeat(60)),
  'a number beyond all': '1e400',
  'a large number': '99999999999999999999',
  'a number below': '-1',
  'no such moment': '2026-02-30T00:00:00Z',
  'an empty one': '%20',
}

/** A call with one place changed, and how to say so. */
interface OddCall {
  readonly what: string
  readonly call: Call
}

const IS_LONG = process.env['HEDGEROW_FAULTS'] !== undefined

/**
 * Sends each call with an odd value in each place of its body, each step of its path and each value of its query, as those who may
 * call it: in `make faults` every value in every place by everybody, else each place one value, by one, in turns. What was answered with a
 * failure, or in words that are not ours, comes back.
 */
export async function wronglyAnswered(
  server: string,
  {
    calls,
    methodOf,
    bearers,
  }: {
    calls: Calls
    methodOf: (name: string) => string
    bearers: readonly (() => string | Promise<string>)[]
  },
): Promise<readonly string[]> {
  const wrong: string[] = []
  let turn = 0
  for (const [name, call] of Object.entries(calls))
    for (const place of oddPlaces(name, call)) {
      turn += 1
      const tried = IS_LONG ? place : place.filter((_, index) => index === (turn * 7) % place.length)
      for (const { what, call: odd } of tried)
        for (const [index, bearer] of bearers.entries()) {
          if (!IS_LONG && index !== turn % bearers.length) continue
          const { status, text } = await send(server, { method: methodOf(name), call: odd }, await bearer())
          const why = whatIsWrong(status, text)
          if (why !== undefined) wrong.push(`${what}: ${why}`)
        }
    }
  return wrong
}

function whatIsWrong(status: number, text: string): string | undefined {
  if (status >= 500) return `${status}`
  if (Reflect.get({}, 'odd') !== undefined) return 'it reached every object'
  if (status !== 400) return undefined
  const said = [...text.matchAll(/"expected":"((?:[^"\\]|\\.)*)"/g)].map(([, words = '']) => words)
  return said.find(
    (words) => !words.startsWith('expected ') || /received|must match|^expected \W*$/.test(words),
  )
}

/** By place, the call with each odd value there. */
function* oddPlaces(name: string, call: Call): Generator<readonly OddCall[]> {
  if (call.body !== undefined && typeof call.body !== 'string') {
    const text = JSON.stringify(call.body)
    for (const place of placesOf(call.body))
      yield Object.entries(ODD).map(([what, odd]) => ({
        what: `${name}: ${what} at ${place.join('.') || 'the top'}`,
        call: { ...call, body: withPlace(text, { place, odd }) },
      }))
  }
  const [path = '', query = ''] = call.path.split('?')
  const steps = path.split('/')
  const pairs = query.split('&').filter((pair) => pair !== '')
  for (const [index, step] of steps.entries())
    // "/v1/kind" is the route itself.
    if (index > 2 && step !== '')
      yield oddParts(`${name}, step ${index}`, (odd) => [steps.with(index, odd).join('/'), query])
  for (const [index, pair] of pairs.entries()) {
    const key = pair.split('=', 1)[0] ?? ''
    yield oddParts(`${name}, ${key}`, (odd) => [path, pairs.with(index, `${key}=${odd}`).join('&')])
  }

  function oddParts(where: string, changed: (odd: string) => readonly [string, string]): readonly OddCall[] {
    return Object.entries(ODD_PARTS).map(([what, odd]) => {
      const [oddPath, oddQuery] = changed(odd)
      return {
        what: `${where}: ${what}`,
        call: { ...call, path: oddQuery === '' ? oddPath : `${oddPath}?${oddQuery}` },
      }
    })
  }
}

type Place = readonly (string | number)[]

function placesOf(value: unknown, at: Place = []): readonly Place[] {
  if (typeof value !== 'object' || value === null) return [at]
  const inside = Array.isArray(value)
    ? value.slice(0, 1).map((one, index) => [index, one] as const)
    : Object.entries(value)
  return [at, ...inside.flatMap(([key, one]) => placesOf(one, [...at, key]))]
}

const HOLE = 'odd-value-stands-here'

/** Put in as text: some of it is nothing that JSON.stringify writes. */
function withPlace(text: string, { place, odd }: { place: Place; odd: string }): string {
  if (place.length === 0) return odd
  const copy: unknown = JSON.parse(text)
  const [last = '', ...above] = place.toReversed()
  let parent: unknown = copy
  for (const step of above.toReversed()) parent = Reflect.get(parent as object, step)
  Reflect.set(parent as object, last, HOLE)
  return JSON.stringify(copy).replace(`"${HOLE}"`, () => odd)
}
