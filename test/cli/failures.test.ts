import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FellShort, WrongUse, exitCodeOf, sentenceOf } from '../../src/cli/failures.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { Fault } from '../../src/kernel/faults.ts'
import { PeerRefusal, refusalOf } from '../../src/kernel/http/call-json.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { SITE_API } from '../../src/protocol/http/site-api.ts'
import { addressOf } from '../../src/sdk/address-of.ts'
import type { AddressParts } from '../../src/sdk/address-of.ts'

test('exitCodeOf() tells fell short, wrong use and unreachable apart', () => {
  const cases: readonly [unknown, number][] = [
    [new WrongUse('x'), 2],
    [new FellShort('x'), 1],
    [new Fault('fault.peer_unreachable', { what: 'x' }), 3],
    [new Fault('fault.key_exposed', { what: 'x' }), 2],
    [new Fault('fault.import_malformed', { what: 'x' }), 1],
    [new PeerRefusal({ what: 'x', status: 400, problemCode: 'fault.request_malformed' }), 2],
    [new PeerRefusal({ what: 'x', status: 404, problemCode: 'fault.not_found' }), 1],
    [new PeerRefusal({ what: 'x', status: 503, problemCode: 'fault.unavailable' }), 3],
    [new TypeError('x'), 1],
  ]
  for (const [thrown, code] of cases) assert.equal(exitCodeOf(thrown), code)
})

test('sentenceOf() lists the lines that were wrong below the sentence', () => {
  const errors = [{ field: 'line 7, column "height"', expected: 'expected a number' }]
  assert.equal(
    sentenceOf(new Fault('fault.import_malformed', { what: 'Cannot import', errors })),
    'Cannot import\n  line 7, column "height": expected a number',
  )
})

test('sentenceOf() names the option for what another side misses, and a single field once', () => {
  const says = (what: string, field?: string, expected = '') =>
    sentenceOf(
      new PeerRefusal({
        what,
        status: 400,
        problemCode: 'fault.request_malformed',
        errors: field === undefined ? [] : [{ field, expected }],
      }),
    )
  const cases = [
    [
      says('Cannot look at the data of a person: say the reason', 'reason', 'expected the reason'),
      'Cannot look at the data of a person: say why, with --reason TEXT; the person will see it',
    ],
    [
      says('This key may not do that; use the key of the role that may'),
      'This key may not do that; act as one who may, with --as MEMBER or --token-file FILE',
    ],
    [
      says('Cannot take the evidence: expected more years', 'below', 'expected more years'),
      'Cannot take the evidence: below: expected more years',
    ],
    [
      says('Cannot accept the token: wrong-issuer'),
      'Cannot accept the token: wrong-issuer; sign in at the OpenID Connect provider of this site (“oidc” in its settings)',
    ],
    [
      says('Cannot accept the token: expired'),
      'Cannot accept the token: expired; sign in again, or where a key speaks (--as) set the clock of this machine right',
    ],
    [
      says('Cannot take it: below: expected more years', 'below', 'expected more years'),
      'Cannot take it: below: expected more years',
    ],
  ]
  for (const [said, expected] of cases) assert.equal(said, expected)
})

describe('what is not there', () => {
  const says = (path: string, filledWith: AddressParts) =>
    refusalOf(
      { status: 404, headers: { get: () => null } },
      {
        text: '{"code":"fault.not_found","title":"Not found"}',
        url: addressOf('http://site:1/', { path }, filledWith),
        path,
        clock: systemClock,
      },
    ).message
  const end = 'at site:1, or it is not open to you; check the'

  test('is called by its name, and a person’s key by none', () => {
    const ofPerson = { params: { ref: 'secret-key', purpose: 'p', evidence: 'e' } }
    const cases = [
      ['/v1/officer/bases/{basis}/end', { params: { basis: 'basis_1' } }, `no basis "basis_1" ${end} name`],
      [
        '/v1/sites/{id}/floor-limits/{limit}/closing',
        { params: { id: 'galway', limit: 'flr_1' } },
        `no site "galway" or floor limit "flr_1" ${end} name`,
      ],
      ['/v1/officer/notices', { query: { dataSet: 'steps' } }, `no data set "steps" ${end} name`],
      ['/v1/people/{ref}/uses', ofPerson, `no such person ${end} key`],
      [
        '/v1/people/{ref}/restriction/lifting',
        ofPerson,
        `no such person, or no restriction of them, ${end} key`,
      ],
      ['/v1/people/{ref}/correction', ofPerson, `no such person, data set or row ${end} key`],
      ['/v1/people/{ref}/age-evidence/{evidence}/end', ofPerson, `no such person or evidence ${end} key`],
      ['/v1/grants/revocations', {}, `no such data set or person ${end} names`],
    ] as const
    for (const [path, filledWith, expected] of cases)
      assert.equal(says(path, filledWith), `There is ${expected}`)
    assert.equal(
      says('/v1/disputes', {}),
      'There is no such thing at site:1 as the dispute is about, or it is not open to you; check the names in it',
    )
    assert.equal(says('/v1/site', {}), 'No site of Hedgerow answers at site:1; check the address')
  })

  test('has a word of its own on every route', () => {
    const words = new Set<string>()
    for (const { path } of [...Object.values(NETWORK_API), ...Object.values(SITE_API)]) {
      const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
      const said = says(path, { params: Object.fromEntries(names.map((name) => [name, `a ${name}`])) })
      assert.doesNotMatch(said, /[{}/]|%20/, path)
      for (const name of names.filter(() => !path.startsWith('/v1/people/')))
        words.add(
          new RegExp(`([a-z -]+) "a ${name}"`).exec(said.replace(/^There is no| or /g, ''))?.[1]?.trim() ??
            path,
        )
    }
    // Read them when there is a new one: it follows from the address, and may be no word.
    assert.deepEqual([...words].toSorted(), [
      'agent',
      'ask',
      'assessment',
      'authority request',
      'backup',
      'basis',
      'contract',
      'data set',
      'dispute',
      'enforcement point',
      'erasure',
      'floor limit',
      'ground for transfers',
      'guardianship',
      'hold of',
      'incident',
      'issuer',
      'log of the site',
      'member',
      'notice',
      'officer',
      'party',
      'receipt',
      'regulator',
      'request',
      'settlement',
      'site',
      'sub-processor',
      'tile',
    ])
  })
})
