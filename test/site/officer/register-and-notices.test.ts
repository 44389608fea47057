import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { SITE_API } from '../../../src/protocol/http/site-api.ts'
import { sharedDirectory } from '../../shared.ts'
import { trade, site, COUNT, grantsOfAll, controller, contact } from './officer-fixture.ts'

const northcare = await trade.addAcquirer('northcare')
const quill = await trade.addAcquirer('quill')

test('the register follows from the terms in force and the record of releases', async () => {
  assert.equal((await northcare.ask('select count(*) from athletes')).sites[0]?.reason, 'approved')
  const elsewhere = { releaseTo: { jurisdiction: 'CH' } }
  assert.equal((await quill.ask('select avg(height) from athletes', elsewhere)).sites[0]?.reason, 'approved')

  const register = await controller.register()
  const [activity] = register.controllers
  assert.equal(activity?.controller.name, contact.name)
  assert.equal(activity?.controller.dataProtectionOfficer, 'Orla Byrne, dpo@federation.example')
  assert.equal(activity?.subjects.people, COUNT)
  assert.equal(activity?.subjects.includesMinors, false)
  assert.deepEqual(
    activity?.recipients.map(({ acquirer, countries, releases }) => ({ acquirer, countries, releases })),
    [
      { acquirer: 'northcare', countries: ['IE'], releases: 1 },
      { acquirer: 'quill', countries: ['CH'], releases: 1 },
    ],
  )
  assert.deepEqual(activity?.transfers, [{ country: 'CH', ground: 'adequacy-ch', releases: 1 }])
  assert.equal(activity?.erasure.until, Date.parse('2070-01-01T00:00:00Z'))
  assert.equal(register.processing[0]?.controller.name, contact.name)
  // Personalisation evaluates people one by one, and nobody has assessed it.
  assert.match(register.gaps.join('\n'), /"athletes" needs an impact assessment for dpv:Personalisation/)

  await site.issuer.describe({ ...(await manifest()), retention: { period: 'P10Y', from: '2020-01-01' } })
  const [changed] = (await controller.register()).controllers
  assert.equal(changed?.erasure.until, Date.parse('2030-01-01T00:00:00Z'))
  assert.notEqual(changed?.policy, activity?.policy)
  // Under other terms people are asked anew.
  await site.issuer.giveGrants(grantsOfAll())
})

async function manifest() {
  const client = site.client({ issuer: 'operator', key: site.operatorKey })
  const found = await client.call(SITE_API.dataSet, { params: { dataSet: 'athletes' } })
  return found.manifest
}

test('the register is a table and a page too, with everything escaped', async () => {
  const csv = await controller.registerFile('csv')
  const [head, row, ...others] = csv.trimEnd().split('\r\n')
  assert.equal(others.length, 0)
  assert.match(head ?? '', /^controller,controller_address,/)
  assert.match(row ?? '', /^World Federation of <Sports> & Games,"1 Eyre Square, Galway",/)
  const page = await controller.registerFile('html')
  assert.match(page, /World Federation of &lt;Sports&gt; &amp; Games/)
  assert.doesNotMatch(page, /<Sports>|<script/)
})

const shared = sharedDirectory()
const schemas = shared && join(shared, 'standards', 'archimate-exchange', 'xsd-3.1')
const lacks =
  schemas === undefined || !existsSync(schemas)
    ? 'needs the schemas of the ArchiMate exchange format beside the checkout'
    : hasXmllint()
      ? false
      : 'needs xmllint (Debian: libxml2-utils)'

function hasXmllint(): boolean {
  try {
    execFileSync('xmllint', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

test(
  'the ArchiMate model of the register is valid by the schemas of The Open Group',
  { skip: lacks },
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'hedgerow-archimate-'))
    try {
      const file = join(directory, 'register.xml')
      const validate = () =>
        execFileSync('xmllint', ['--nonet', '--noout', '--schema', 'all.xsd', file], {
          cwd: schemas,
          env: { ...process.env, XML_CATALOG_FILES: 'catalog.xml' },
          stdio: 'pipe',
        })
      const model = await controller.registerFile('archimate')
      await writeFile(file, model)
      validate()
      // The referee does object where order is wrong.
      await writeFile(
        file,
        model.replace(/<elements>[\s\S]*<\/elements>/, '').replace('</model>', '<elements/></model>'),
      )
      assert.throws(validate)
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  },
)

test('notices say what the terms say, in each language, and another version when they change', async () => {
  const request = { dataSet: 'athletes', purpose: 'dpv:ResearchAndDevelopment' }
  const english = await controller.notice(request)
  const said = english.sections.flatMap(({ text }) => text).join('\n')
  for (const part of [
    'Orla Byrne',
    'The northcare (northcare) received answers (used in: Ireland).',
    'You may complain to the supervisory authority (Data Protection Commission), or to the one where you live (Art. 77).',
    'withdraw',
    'edgeworks',
  ])
    assert.ok(said.toLowerCase().includes(part.toLowerCase()), part)
  assert.match(
    (await controller.notice({ ...request, language: 'de' })).title,
    /^Was mit Ihren Daten geschieht/,
  )
  assert.match((await controller.notice({ ...request, language: 'fr' })).title, /^Ce qui est fait/)
  assert.match(await controller.noticePage({ ...request, language: 'de' }), /<html lang="de">/)
  for (const language of ['en', 'de', 'fr'] as const) {
    const { sections } = await controller.notice({ ...request, language })
    const words = sections.flatMap(({ text }) => text).join('\n')
    // Terms, codes and times of machines are not for the people who are told (GDPR Art. 12(1)).
    assert.doesNotMatch(words, /eu-gdpr|dpv|\b(?:IE|EEA|adequate)\b|P\d+[YMD]|\d{4}-\d{2}-\d{2}|_/, words)
  }
  // Rows of people leave the site where the terms offer them, and then no page says that nothing does.
  const stays = async () => [
    (await controller.notice(request)).sections[0]?.text.join(' ') ?? '',
    JSON.stringify((await controller.register()).controllers[0]?.measures),
  ]
  const [withRows, measures] = await stays()
  assert.match(withRows ?? '', /\(Ireland\)\. Rows of it leave that place only if you allow it\./)
  assert.match(measures ?? '', /Rows leave the site only as people granted them/)
  const terms = await manifest()
  await site.issuer.describe({ ...terms, modes: terms.modes.filter((mode) => mode !== 'rows') })
  const [without, fewer] = await stays()
  assert.match(without ?? '', /, and does not leave that place\./)
  assert.match(fewer ?? '', /Rows do not leave the site/)
  await site.issuer.describe(terms)
  // A purpose that is narrower than one the data set is offered for has a notice of its own.
  const narrower = await controller.notice({ ...request, purpose: 'dpv:AcademicResearch', language: 'de' })
  assert.match(JSON.stringify(narrower), /Zweck: Forschung an Hochschulen und Akademien\./)
  assert.equal((await controller.notice(request)).version, english.version)
  await controller.describeParty('federation', { ...contact, email: 'new@federation.example' })
  assert.notEqual((await controller.notice(request)).version, english.version)
})

test('a notice has the words of the controller in the language it is read in, and says where there are none', async () => {
  const request = { dataSet: 'athletes', purpose: 'dpv:ResearchAndDevelopment', language: 'de' } as const
  const words = async (language: 'de' | 'en') => {
    const { title, sections } = await controller.notice({ ...request, language })
    return [title, ...(sections.find(({ article }) => article === '14(1)(d)')?.text ?? [])].join('\n')
  }
  const english = await manifest()
  assert.match(await words('de'), /nur in einer anderen Sprache gesagt: “[^”]+”/)
  assert.doesNotMatch(await words('en'), /another language/)
  const grants = async () => (await site.issuer.grants({ limit: 1 })).map(({ state }) => state)
  const before = await grants()
  await site.issuer.describe({
    ...english,
    columns: english.columns.map((column) => {
      if (column.name === 'id') return { ...column, description: 'Key at the federation' }
      return column.name === 'country' ? { ...column, category: 'dpv-pd:Country' } : column
    }),
    translations: { 'de-AT': { title: 'Sportler', columns: { id: 'Schlüssel beim Verband' } } },
  })
  assert.match(await words('en'), /kept: Key at the federation; Name; Country; Birth date; Height; /)
  const german = await words('de')
  assert.match(german, /^Was mit Ihren Daten geschieht: Sportler\n.*Schlüssel beim Verband/)
  assert.doesNotMatch(german, /anderen Sprache|Key at the federation/)
  await site.issuer.describe({ ...english, translations: { de: { title: 'Sportler' } } })
  assert.deepEqual(await grants(), before, 'what people agreed to is the manifest’s own text')
  await site.issuer.describe({ ...english, language: 'de', title: 'Sportler' })
  assert.match(await words('en'), /another language only: “Sportler”/)
  for (const [translations, expected] of [
    [{ en: { title: 'x' } }, /another language than/],
    [{ de_AT: { title: 'x' } }, /BCP 47/],
    [{ de: { columns: { nothing: 'x' } } }, /name of a column/],
  ] as const)
    await assert.rejects(
      site.issuer.describe({ ...english, translations }),
      (refused: { errors?: unknown }) => expected.test(JSON.stringify(refused.errors)),
    )
  await site.issuer.describe(english)
})

test('a notice is found for what is part of a purpose of the terms, and where there is none those that there are are named', async () => {
  const request = { dataSet: 'athletes', purpose: 'dpv:AcademicResearch' }
  const wider = 'It is part of a wider purpose, for which the data may be used: Research and Development.'
  const saidIn = async (purpose: string) =>
    (await controller.notice({ ...request, purpose })).sections.flatMap(({ text }) => text)
  const narrower = await saidIn('dpv:AcademicResearch')
  assert.ok(narrower.includes(wider), narrower.join('\n'))
  assert.ok(narrower.some((line) => line.startsWith('Purpose: Academic Research.')))
  assert.ok(!(await saidIn('dpv:ResearchAndDevelopment')).includes(wider))
  for (const purpose of ['dpv:Marketing', 'hedgerow:SocialScoring'])
    await assert.rejects(controller.notice({ ...request, purpose }), {
      status: 400,
      errors: [
        {
          field: 'purpose',
          expected:
            'expected dpv:ResearchAndDevelopment, dpv:Personalisation, or a purpose that is part of one',
        },
      ],
    })
})
