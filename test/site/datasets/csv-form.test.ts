import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { Fault } from '../../../src/kernel/faults.ts'
import { alikeForm, csvFormProblems, saidForm } from '../../../src/protocol/csv-form.ts'
import type { CsvForm } from '../../../src/protocol/csv-form.ts'
import { WATCH } from '../vault/a-manifest.ts'
import { bytesOf } from './an-import-site.ts'
import { GOOD, GOOD_ROWS, HEADER, freshManifest, refuses, rowsFrom, site } from './import-file-fixture.ts'

/** A file as a German spreadsheet writes it. */
const GERMAN = `wearer;at;steps;heart_rate;is_worn;activity
Jörg;1.1.2026 10:00:00;12;61,5;ja;walk
bob;01.01.2026 10:01;k.A.;;-;
Zoë;01.01.2026T12:02:00+02:00;4.000;70;NEIN;run
`
const GERMAN_FORM: CsvForm = {
  separator: 'semicolon',
  decimal: 'comma',
  thousands: 'point',
  dates: 'dd.mm.yyyy',
  true: 'Ja,x',
  false: 'nein',
  missing: 'k.A.,-',
  encoding: 'latin1',
}

const PLAIN_LINE = {
  wearer: 'ann',
  at: '01.01.2026',
  steps: '1',
  heart_rate: '1',
  is_worn: 'ja',
  activity: 'walk',
}

const windows1252 = (text: string) => Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1')

/** Takes a file in a form, into a data set of its own. */
async function taken(content: string | Uint8Array, form: CsvForm) {
  const manifest = freshManifest()
  const imported = await site.import(manifest, { form, file: { stream: bytesOf(content) } })
  assert.equal(imported.rows, 3)
  assert.deepEqual(await readdir(join(site.directory, 'vault', 'spool')), [])
  return { manifest, rows: await rowsFrom(manifest) }
}

test('a file of a German spreadsheet is taken whole, packed or not, and says what the plain file says', async () => {
  assert.deepEqual((await taken(windows1252(GERMAN), GERMAN_FORM)).rows, GOOD_ROWS)
  assert.deepEqual((await taken(gzipSync(windows1252(GERMAN)), GERMAN_FORM)).rows, GOOD_ROWS)
  const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(GERMAN, 'utf16le')])
  assert.deepEqual((await taken(utf16, { ...GERMAN_FORM, encoding: 'utf-16le' })).rows, GOOD_ROWS)
  const inUtf8 = { ...GERMAN_FORM, encoding: 'utf-8' }
  assert.deepEqual((await taken(GERMAN, inUtf8)).rows, GOOD_ROWS)
  assert.deepEqual((await taken(GOOD, {})).rows, GOOD_ROWS)
})

test('a person of a file in another encoding is the person of the same name in UTF-8', async () => {
  const { manifest } = await taken(windows1252(GERMAN), GERMAN_FORM)
  const again = await site.import(manifest, {
    file: { stream: bytesOf(`${HEADER}Jörg,2026-01-02,1,,,\nZoë,2026-01-02,1,,,\n`) },
  })
  assert.equal(again.newPeople, 0)
})

test('numbers, dates and words are read in the form that was said and in no other', async () => {
  const header = HEADER.replaceAll(',', ';')
  const wrong = {
    steps: ['1.23', '1.2345', '12.34.567', '1,5', '1 000', '?', '1.000.', '.000'],
    heart_rate: ['1.5', '1,2,3', '1.000,5.0', ',', 'MARKER'],
    is_worn: ['jaja', 'j', 'yess'],
    wearer: ['k.A.'],
  }
  const dates = ['2026-01-31', '31.02.2026', '01.01.26', '01/01/2026', '1.1.2026x', '1.1.20261', '-']
  const lineOf = (changes: Readonly<Record<string, string>>) =>
    Object.values({ ...PLAIN_LINE, ...changes }).join(';')
  const refusesEach = async (values: Readonly<Record<string, readonly string[]>>) => {
    const bad = Object.entries(values).flatMap(([name, texts]) => texts.map((text) => ({ [name]: text })))
    await refuses(`${header}${bad.map(lineOf).join('\n')}\n`, {
      says: /line 2, column/,
      form: { ...GERMAN_FORM, encoding: 'utf-8' },
      fields: bad.map((one, index) => `line ${index + 2}, column "${Object.keys(one)[0]}"`),
    })
  }
  await refusesEach(wrong)
  await refusesEach({ at: dates })
})

test('each form of a date is read by its own order of day and month', async () => {
  const forms = {
    'dd.mm.yyyy': '3.2.2026',
    'mm/dd/yyyy': '2/3/2026',
    'yyyy/mm/dd': '2026/02/03',
    yyyymmdd: '20260203',
    ddmmyyyy: '03022026',
  }
  const manifest = freshManifest()
  for (const [dates, written] of Object.entries(forms))
    await site.import(manifest, {
      form: { dates },
      file: { stream: bytesOf(`${HEADER}ann,${written},,,,\nann,${written} 04:05:06,,,,\n`) },
    })
  assert.deepEqual(await rowsFrom(manifest, 'distinct "at"'), [
    ['2026-02-03T00:00:00.000Z'],
    ['2026-02-03T04:05:06.000Z'],
  ])
})

test('an identifier that is a date or a number is kept in the plain form too', async () => {
  const born = { name: 'born', type: 'date' as const, sensitivity: 'direct_identifier' as const }
  const manifest = freshManifest({ columns: [...WATCH.columns, born] })
  const file = `${HEADER.trimEnd()},born\nann,02/01/2026,,,,,12/31/1990\n`
  await site.import(manifest, { form: { dates: 'mm/dd/yyyy' }, file: { stream: bytesOf(file) } })
  assert.deepEqual(await rowsFrom(manifest), [['2026-02-01T00:00:00.000Z', null, null, null, null]])
})

test('a file in another form is refused by words that name the option which would help', async () => {
  const bad = (line: string) => `${HEADER}ann,2026-01-01,1,1,true,walk\n${line}\n`
  const helped: readonly (readonly [string, RegExp])[] = [
    [
      'ann,2026-01-01,1,"61,5",true,walk',
      /"heart_rate": .*decimals behind a comma are said with --decimal comma/,
    ],
    ['ann,2026-01-01,1.000.000,1,true,walk', /"steps": .*--thousands/],
    ["ann,2026-01-01,1'000,1,true,walk", /"steps": .*--thousands/],
    ['ann,31.01.2026,1,1,true,walk', /"at": .*--dates dd\.mm\.yyyy/],
    ['ann,2026-01-01,1,1,ja,walk', /"is_worn": .*--true and --false/],
    ['ann,2026-01-01,NA,1,true,walk', /"steps": .*--missing/],
    ['ann,2026-01-01,1,k.A.,true,walk', /"heart_rate": .*--missing/],
  ]
  for (const [line, says] of helped) await refuses(bad(line), { says })
  await refuses(Buffer.from(bad('jörg,2026-01-01,1,1,true,walk'), 'latin1'), {
    says: /line 3: expected UTF-8; another encoding is said with --encoding/,
  })
  await refuses(Buffer.from(`ü${bad('')}`, 'latin1'), { says: /first line is not UTF-8; .*--encoding/ })
  await refuses(GERMAN, {
    says: /line 1: the names seem to be separated by the sign "semicolon".*--separator semicolon/,
  })
})

test('an encoding that is not the file’s is refused where that shows, because names would become other names', async () => {
  await refuses(GERMAN, {
    form: { ...GERMAN_FORM, encoding: 'windows-1252' },
    says: /its bytes are UTF-8; leave --encoding away/,
  })
  await refuses(Buffer.concat([Buffer.from(`${HEADER}ann`, 'utf16le'), Buffer.from([0x41])]), {
    form: { encoding: 'utf-16le' },
    says: /its bytes are not those of utf-16le/,
  })
})

test('lines of a file in another encoding are counted as an editor counts them', async () => {
  const torn = windows1252(`${GERMAN}Jörg;1.1.2026;x;1;ja;walk\nJörg;1.1.2026\n`)
  await refuses(torn, { form: GERMAN_FORM, says: /line 6: expected as many fields/ })
})

test('the same file in another form is not taken beside the first, and in the same not again', async () => {
  const manifest = freshManifest()
  const file = () => ({ stream: bytesOf(`${HEADER}ann,02/01/2026,,,,\n`) })
  await site.import(manifest, { form: { dates: 'mm/dd/yyyy' }, file: file() })
  const again = await site.import(manifest, {
    form: { dates: 'mm/dd/yyyy', separator: 'comma' },
    file: file(),
  })
  assert.equal(again.isNew, false)
  const alike = await site.import(manifest, { form: { dates: 'm/d/yyyy' }, file: file() })
  assert.equal(alike.isNew, false, 'that reads the file alike')
  await assert.rejects(
    site.import(manifest, { form: { dates: 'dd/mm/yyyy' }, file: file() }),
    (fault: unknown) =>
      fault instanceof Fault &&
      fault.code === 'fault.idempotency_conflict' &&
      /under another name \(--batch\) every row of it is taken, .* a second time/.test(fault.message),
  )
  assert.deepEqual(await rowsFrom(manifest, '"at"'), [['2026-02-01T00:00:00.000Z']])
})

test('forms by which a file says the same are one form, and others are not', () => {
  const alike = (one: CsvForm, other: CsvForm) =>
    assert.deepEqual(alikeForm(one), alikeForm(other), JSON.stringify([one, other]))
  for (const dates of ['d.m.yyyy', 'd.mm.yyyy', 'dd.m.yyyy']) alike({ dates }, { dates: 'dd.mm.yyyy' })
  alike({ dates: 'm/d/yyyy' }, { dates: 'mm/dd/yyyy' })
  alike({ dates: 'yyyy-m-d' }, {})
  alike({ true: 'x,Ja', missing: 'NA,k.A.' }, { true: 'ja,X,x', missing: 'k.A.,NA' })
  alike({ encoding: 'latin1' }, { encoding: 'windows-1252' })
  const different: readonly CsvForm[] = [
    {},
    { dates: 'd.m.yyyy' },
    { dates: 'm.d.yyyy' },
    { dates: 'd/m/yyyy' },
    { dates: 'ddmmyyyy' },
    { dates: 'mmddyyyy' },
    { dates: 'yyyymmdd' },
    { true: 'x' },
    { false: 'x' },
    { missing: 'x' },
    { missing: 'X' },
  ]
  assert.equal(new Set(different.map((form) => JSON.stringify(alikeForm(form) ?? {}))).size, different.length)
})

test('a form that contradicts itself is known, and one that says nothing is none', () => {
  const fields = (form: CsvForm) => csvFormProblems(form).map(({ path }) => path[0])
  assert.deepEqual(fields(GERMAN_FORM), [])
  assert.deepEqual(fields({ decimal: 'comma', thousands: 'comma' }), ['thousands'])
  assert.deepEqual(fields({ thousands: 'point' }), ['thousands'])
  assert.deepEqual(fields({ true: 'x,Ja', false: 'nein,jA' }), ['false'])
  assert.deepEqual(fields({ true: 'x', missing: 'X' }), ['missing'])
  assert.equal(saidForm({ separator: 'comma', decimal: 'point', encoding: 'UTF8' }), undefined)
  assert.deepEqual(saidForm({ encoding: 'latin1' }), { encoding: 'windows-1252' })
})
