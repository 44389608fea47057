import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { LIMITS } from '../../../src/kernel/limits.ts'
import { Fault } from '../../../src/kernel/faults.ts'
import { WATCH } from '../vault/a-manifest.ts'
import { bytesOf } from './an-import-site.ts'
import { site, HEADER, GOOD, freshManifest, refuses } from './import-file-fixture.ts'

const LINE = 'ann,2026-01-01,1,1,true,walk\n'

test('a bad line is named by number, column and what was expected, never by its value', async () => {
  const bad = (line: string) => `${HEADER}${LINE}${line}\n${LINE}`
  const column = (name: string) => [`line 3, column "${name}"`]
  await refuses(bad('ann,2026-01-01,MARKER,1,true,walk'), {
    says: /line 3, column "steps": expected a whole number/,
    fields: column('steps'),
  })
  await refuses(bad('ann,2026-01-01,1.5,1,true,walk'), { says: /column "steps"/ })
  await refuses(bad('ann,2026-01-01,0x10,1,true,walk'), { says: /column "steps"/ })
  await refuses(bad('ann,2026-01-01,9223372036854775808,1,true,walk'), { says: /column "steps"/ })
  await refuses(bad('ann,2026-01-01,1,MARKER,true,walk'), {
    says: /column "heart_rate": expected a finite number/,
  })
  await refuses(bad('ann,2026-01-01,1,NaN,true,walk'), { says: /column "heart_rate"/ })
  await refuses(bad('ann,2026-01-01,1,-inf,true,walk'), { says: /column "heart_rate"/ })
  await refuses(bad('ann,2026-01-01,1,1,MARKER,walk'), { says: /column "is_worn": expected true or false/ })
  await refuses(bad('ann,MARKER,1,1,true,walk'), { says: /column "at": expected a time/ })
  await refuses(bad('ann,2026-02-30,1,1,true,walk'), { says: /column "at"/ })
  await refuses(bad('ann,01/02/2026,1,1,true,walk'), { says: /column "at"/ })
  await refuses(bad('ann,epoch,1,1,true,walk'), { says: /column "at"/ })
  await refuses(bad('ann,infinity,1,1,true,walk'), { says: /column "at"/ })
  await refuses(bad('ann,,1,1,true,walk'), { says: /column "at": .*may not be empty/ })
  await refuses(bad(',2026-01-01,1,1,true,walk'), { says: /column "wearer": .*may not be empty/ })
  await refuses(bad(`${'x'.repeat(201)},2026-01-01,1,1,true,walk`), {
    says: /column "wearer": expected a text of at most 200/,
  })
  await refuses(bad('ann,2026-01-01,1,1,true,MARKER'), {
    says: /column "activity": expected one of the values/,
  })
  await refuses(bad('MARKER,2026-01-01,1'), {
    says: /line 3: expected as many fields.*too short/,
    fields: ['line 3'],
  })
  await refuses(bad('MARKER,2026-01-01,1,1,true,walk,MARKER'), { says: /line 3: .*too long/ })
  await refuses(bad('ann,2026-01-01,1,1,true,"MARKER'), { says: /expected a closing double quote/ })
})

test('a torn last line is named and nothing is taken', async () => {
  await refuses(`${HEADER}${LINE}MARKER,2026-01-0`, { says: /line 3: .*torn/ })
})

test('lines are counted as an editor counts them, through quoted line breaks and empty lines', async () => {
  const text = { columns: [...WATCH.columns, { name: 'note', type: 'text', sensitivity: 'free_text' }] }
  const header = `${HEADER.trimEnd()},note\n`
  const line = `${LINE.trimEnd()},"a\nb\r\nc"\n`
  await refuses(`${header}${line}\n${line}ann,2026-01-01,MARKER,1,true,walk,x\n`, {
    says: /line 9, column "steps"/,
    changes: text,
  })
  await refuses(`${header}${line}\n${line}ann,2026-01-01\n`, { says: /line 9: /, changes: text })
  await refuses(gzipSync(`${header}${line}\n${line}ann,2026-01-01\n`), { says: /line 9: /, changes: text })
})

test('at most 20 problems are named, and how many there are in all', async () => {
  const manifest = freshManifest()
  const content = HEADER + 'ann,2026-01-01,x,1,true,walk\n'.repeat(500)
  await assert.rejects(site.import(manifest, { file: { stream: bytesOf(content) } }), (fault: unknown) => {
    assert.ok(fault instanceof Fault)
    assert.equal(fault.errors.length, 20)
    assert.match(fault.message, /line 2, column "steps".*and 499 more/)
    return true
  })
})

test('a header that is not the manifest is refused, and a first line of data is not repeated', async () => {
  await refuses(LINE.repeat(3).replaceAll('ann', 'MARKER'), {
    says: /line 1, field 1: expected the name of a column/,
  })
  await refuses(`${HEADER.replace('steps', 'MARKER')}${LINE}`, {
    says: /line 1, field 3/,
    fields: ['line 1, field 3', 'line 1'],
  })
  await refuses(HEADER.replace('steps,', ''), { says: /line 1: expected a column "steps"/ })
  await refuses(`${HEADER.trimEnd()},steps\n${LINE}`, { says: /field 7: expected "steps" only once/ })
  await refuses(`${HEADER.trimEnd()},extra\n${LINE}`, { says: /line 1, field 7/ })
})

test('a file separated by other signs is told so by its header, and by which option it is read', async () => {
  const separated = (by: string) => `${HEADER}${LINE}`.replaceAll(',', by)
  const fields = ['line 1']
  for (const [by, name] of [
    [';', 'semicolon'],
    ['\t', 'tab'],
    ['|', 'pipe'],
  ] as const) {
    const says = new RegExp(
      `line 1: the names seem to be separated by the sign "${name}", expected "comma": say --separator ${name}`,
    )
    await refuses(separated(by), { says, fields })
    await refuses(`\ufeff${separated(by).replace('\n', '\r\n')}`, { says, fields })
    await refuses(
      separated(by).replace(/^.*/, (header) => `"${header.split(by).join(`"${by}"`)}"`),
      {
        says,
        fields,
      },
    )
  }
  const data = LINE.replaceAll(',', ';').replaceAll('ann', 'MARKER')
  await refuses(data.repeat(2), { says: /line 1, field 1: expected the name of a column/ })
})

test('bytes that are not UTF-8, an empty file and broken packing are each one sentence', async () => {
  await refuses(
    Buffer.concat([Buffer.from(`${HEADER}${LINE}ann,2026-01-01,1,1,true,`), Buffer.from([0xff, 0x0a])]),
    { says: /line 3: expected UTF-8/ },
  )
  await refuses('', { says: /it is empty/ })
  await refuses(gzipSync(''), { says: /it is empty/ })
  await refuses(HEADER, { says: /it has no rows/ })
  await refuses(gzipSync(GOOD.repeat(1)).subarray(0, 60), { says: /gzip packing is broken/ })
  await refuses(Buffer.from([0xff, 0x00]), { says: /first line is not UTF-8/ })
  const utf16 = Buffer.from(`\ufeff${HEADER}${LINE}`, 'utf16le')
  await refuses(utf16, { says: /begins as UTF-16 does; say so with --encoding utf-16le/ })
  await refuses(utf16.swap16(), { says: /say so with --encoding utf-16be/ })
  const old = `${HEADER}${LINE}`.replaceAll('\n', '\r')
  await refuses(old, { says: /lines do not end with a line feed but with a carriage return/ })
  await refuses(`[\n  ${LINE}]`, { format: 'ndjson', says: /one JSON document, expected one object a line/ })
})

test('a line longer than the engine reads is named and not left out, and a packed bomb is not unpacked', async () => {
  const long = 'x'.repeat(LIMITS.importLineBytesMax.csv + 1)
  await refuses(`${HEADER}${LINE}${long}\n${LINE}`, {
    says: /line 3: expected a line of at most 2000000 bytes/,
  })
  const packed = gzipSync(`${HEADER}${LINE}${long}`)
  await refuses(packed, { says: /line 3: expected a line of at most/ })
  const bomb = gzipSync(HEADER + '\n'.repeat(LIMITS.importUnpackedFreeBytes + 1))
  await refuses(bomb, { says: /more than 250 times larger unpacked than packed/ })
})

test('NDJSON is as strict', async () => {
  const good = { wearer: 'ann', at: '2026-01-01', steps: 1 }
  const bad = (value: unknown) =>
    `${JSON.stringify(good)}\n${typeof value === 'string' ? value : JSON.stringify(value)}\n`
  const refusesLine = (value: unknown, says: RegExp) => refuses(bad(value), { format: 'ndjson', says })
  await refusesLine('{"wearer": "MARKER", ', /line 2: expected one JSON object/)
  await refusesLine('[1]', /line 2: expected one JSON object/)
  await refusesLine({ ...good, extra: 1 }, /line 2: .*members that are columns/)
  await refusesLine({ ...good, steps: '1' }, /line 2, column "steps"/)
  await refusesLine({ ...good, steps: 1.5 }, /line 2, column "steps"/)
  await refusesLine({ ...good, heart_rate: true }, /line 2, column "heart_rate"/)
  await refusesLine({ ...good, is_worn: 'true' }, /line 2, column "is_worn"/)
  await refusesLine({ ...good, activity: 7 }, /line 2, column "activity"/)
  await refusesLine({ ...good, activity: ['walk'] }, /line 2, column "activity"/)
  await refusesLine({ at: '2026-01-01' }, /line 2, column "wearer"/)
  await refusesLine({ ...good, at: null }, /line 2, column "at"/)
})
