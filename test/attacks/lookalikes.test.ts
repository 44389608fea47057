import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { checkQuestion } from '../../src/site/query/check-question.ts'
import { sharedDirectory } from '../shared.ts'
import { ask, verdict } from '../site/query/gate-data.ts'
import { testManifest, twoEngines } from '../site/query/two-engines.ts'
import { askEngine } from '../site/query/ask-engine.ts'

/*
 * Signs that look like others, and signs that turn the direction of reading. Measure of success: a name that is taken for another,
 * a literal that equals what it only looks like, or a text that reads otherwise than it is and is answered.
 */

const directory = sharedDirectory()
const vectors = directory && join(directory, 'standards', 'unicode-security-17', 'confusables.txt')
const options = vectors ? {} : { skip: 'the vectors of UTS #39 are not beside the checkout' }

/** Single signs with the single sign that each looks like. */
function confusables(): readonly (readonly [sign: string, like: string])[] {
  const lines = vectors ? readFileSync(vectors, 'utf8').split('\n') : []
  return lines.flatMap((line): readonly (readonly [string, string])[] => {
    const [, sign = '', like = ''] = /^([0-9A-F]+) ;\t([0-9A-F]+) ;/.exec(line) ?? []
    return sign === '' ? [] : [[signOf(sign), signOf(like)]]
  })
}

function signOf(hex: string): string {
  return String.fromCodePoint(Number.parseInt(hex, 16))
}

/** What the engine reads as that letter anyway: PostgreSQL folds the case of ASCII in names, and of nothing else. */
function isFolded(sign: string, letter: string): boolean {
  return (sign.codePointAt(0) ?? 128) < 128 && sign.toLowerCase() === letter
}

const NAMES = ['athletes', 'sex', 'height', 'count', 'gold'] as const

test('a name with a letter that looks like another one is another name', options, () => {
  let tried = 0
  for (const [sign, like] of confusables()) {
    for (const name of NAMES) {
      if (!name.includes(like) || isFolded(sign, like)) continue
      tried += 1
      const written = name.replace(like, sign)
      const text = 'select count(sex), avg(height) from athletes where gold > 0'.replace(name, written)
      assert.match(verdict(text), /^declined\./, text)
      const quoted = 'select count(sex), avg(height) from athletes where gold > 0'.replace(
        name,
        `"${written}"`,
      )
      assert.match(verdict(quoted), /^declined\./, quoted)
    }
  }
  assert.ok(tried > 300, `${tried}`)
})

test('a keyword with a letter that looks like another one is none', options, () => {
  for (const [sign, like] of confusables()) {
    for (const word of ['select', 'from', 'where']) {
      if (!word.includes(like) || isFolded(sign, like)) continue
      const text = `select count(*) from athletes where gold > 0`.replace(word, word.replace(like, sign))
      assert.match(verdict(text), /^declined\./, text)
    }
  }
})

test('texts that look alike are other texts, on both engines', options, async () => {
  const engines = await twoEngines()
  after(() => engines[Symbol.asyncDispose]())
  const pairs = confusables().filter(
    ([sign, like]) => /[a-z0-9]/.test(like) && !/["\\\s]/.test(sign) && !TURNING.test(sign),
  )
  assert.ok(pairs.length > 300)
  const manifest = testManifest('signs', { columns: [{ name: 'sign', type: 'text' }] })
  const eligible = pairs.map((_, person) => person)
  const dataSets = [{ manifest, rows: pairs.map(([, like], person) => [person, like] as const) }]
  const relations = {
    duckdb: await engines.duckdb.relations(dataSets, eligible),
    postgres: await engines.postgres.relations(dataSets, eligible),
  }
  for (let start = 0; start < pairs.length; start += 100) {
    const list = pairs.slice(start, start + 100).map(([sign]) => `'${sign.replaceAll("'", "''")}'`)
    for (const engine of [engines.duckdb, engines.postgres]) {
      const answer = await askEngine(engine, {
        sql: `select count(*) from signs where sign in (${list.join(', ')})`,
        dataSets,
        eligible,
        relations: relations[engine.dialect],
      })
      assert.ok(answer.ok, JSON.stringify(answer))
      // ASCII signs among them look like others of ASCII: those are there as what they are.
      const there = pairs.filter(([, like]) =>
        pairs.slice(start, start + 100).some(([sign]) => sign === like),
      )
      assert.equal(answer.value.rows[0]?.[0] ?? 0, there.length)
    }
  }
})

const TURNING = /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/u

for (const code of [
  0x061c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069,
]) {
  const sign = String.fromCodePoint(code)
  test(`one clear decline: U+${code.toString(16)}`, () => {
    for (const text of [
      `select count(*) from athletes where sex = 'f${sign}'`,
      `select count(*) /* ${sign} */ from athletes`,
      `select count(*) as "n${sign}" from athletes`,
      `select count(*) from athletes -- ${sign}`,
      `${sign}select count(*) from athletes`,
    ]) {
      const declined = ask(text)
      assert.ok(!declined.ok)
      assert.equal(declined.error.code, 'declined.sql_syntax')
      assert.match(declined.error.detail ?? '', /direction of reading/)
      assert.equal(declined.error.position, Array.from(text).indexOf(sign) + 1)
    }
    const escape = `\\${code.toString(16).padStart(4, '0')}`
    assert.equal(verdict(`select count(*) as U&"n${escape}" from athletes`), 'declined.column')
    // Written as an escape, or given as a parameter, it reads as what it is.
    assert.equal(verdict(`select count(*) from athletes where sex = U&'f${escape}'`), 'approved')
    assert.ok(ask('select count(*) from athletes where sex = $1', 'aggregate', [`f${sign}`]).ok)
  })
}

test('signs without width, and letters with marks, are part of a name', () => {
  for (const sign of ['\u200b', '\u200c', '\u200d', '\u2060', '\ufeff', '\u00ad', 'e\u0301'.slice(1)]) {
    assert.match(verdict(`select count(se${sign}x) from athletes`), /^declined\./)
    const checked = checkQuestion(`select count(*) from athletes as a${sign} join athletes a using (id)`, {
      mode: 'aggregate',
      dataSets: new Map(),
    })
    assert.ok(!checked.ok)
  }
})
