import assert from 'node:assert/strict'
import type { KeyPair } from '../../../src/kernel/crypto/keys.ts'
import { digestOf } from '../../../src/kernel/digest.ts'
import { manifestSchema } from '../../../src/protocol/data-set.ts'
import { dataSetIdSchema, memberIdSchema, siteIdSchema } from '../../../src/protocol/wire.ts'
import type { AgentDesk } from '../../../src/site/data-rights/agent-desk.ts'
import { manifestDigest } from '../../../src/site/datasets/data-set-store.ts'
import type { OfficerActs } from '../../../src/site/doors/officer-acts.ts'
import type { PrincipalActs } from '../../../src/site/doors/principal-acts.ts'
import type { DataSetView, SiteActs } from '../../../src/site/doors/site-acts.ts'

/** What the acts were called with, in order. */
export type Calls = { readonly act: string; readonly facts: unknown }[]

/** Acts that note what they are called with: the door's tests look at who gets through to them, and with what. */
export function fakeActs({
  issuerKeys,
  calls,
}: {
  issuerKeys: Readonly<Record<string, KeyPair>>
  calls: Calls
}): SiteActs {
  const note = <T>(act: string, facts: unknown, answer: T): Promise<T> => {
    calls.push({ act, facts })
    return Promise.resolve(answer)
  }
  const changed = { changed: 1, unchanged: 0, sequence: 1 }
  const manifests = new Map(
    ['athletes', 'players'].map((name) => [
      name,
      manifestOf(name, name === 'athletes' ? 'world-sport' : 'play-lab'),
    ]),
  )
  return {
    requestMark: digestOf,
    site: () =>
      note(
        'site',
        {},
        {
          site: siteIdSchema.parse('galway'),
          custodian: memberIdSchema.parse('edge'),
          territory: 'IE',
          keys,
          rotations: [],
        },
      ),
    listDataSets: (facts) => note('listDataSets', facts, { items: [] }),
    findDataSet: (dataSet) => {
      const manifest = manifests.get(dataSet)
      return Promise.resolve(manifest && { manifest, manifestDigest: manifestDigest(manifest) })
    },
    viewDataSet: (dataSet) => Promise.resolve(viewOf(dataSet, manifests.get(dataSet)?.issuer ?? '')),
    describeDataSet: (manifest) =>
      note('describeDataSet', manifest.dataSet, {
        ...viewOf(manifest.dataSet, manifest.issuer),
        lacks: { contracts: [], assessments: [], bases: [], laterAssessments: [] },
      }),
    retireDataSet: (dataSet) => note('retireDataSet', dataSet, viewOf(dataSet, 'world-sport')),
    importBatch: async ({ dataSet, batch = 'named-here', format, file }) => {
      let sizeBytes = 0
      for await (const chunk of file) sizeBytes += chunk.byteLength
      const view = { dataSet, batch, rows: 1, newPeople: 1, importedAt: '2026-11-24T10:00:00Z', isNew: true }
      return note('importBatch', { dataSet, batch, format, sizeBytes }, view)
    },
    importRows: ({ manifest: { dataSet }, batch, rows }) => {
      const view = { dataSet, batch, rows: 1, newPeople: 1, importedAt: '2026-11-24T10:00:00Z', isNew: true }
      return note('importRows', { dataSet, batch, rows: rows.length }, view)
    },
    explainQuestion: (facts) => note('explainQuestion', facts, { statements: [] }),
    columnUses: ({ dataSet }) => note('columnUses', dataSet, { dataSet, columns: [], neverUsed: [] }),
    listBatches: (facts) => note('listBatches', facts, { items: [] }),
    listGrants: (facts) => note('listGrants', facts, { items: [] }),
    giveGrants: (grants, change) =>
      note('giveGrants', { people: grants.map(({ person }) => person), change }, changed),
    revokeGrants: (revocations, change) =>
      note('revokeGrants', { people: revocations.map(({ person }) => person), change }, changed),
    evidence: () => note('evidence', {}, { state: 'missing' as const }),
    giveEvidence: (evidence) => note('giveEvidence', evidence, { state: 'valid' as const }),
    listReceipts: (facts) => note('listReceipts', facts, { items: [] }),
    findReceipt: (facts) => note('findReceipt', facts, undefined),
    checkpoint: () => Promise.resolve('a checkpoint\n'),
    tile: (path) => Promise.resolve(path === '0/000' ? new Uint8Array([1, 2, 3]) : undefined),
    listUses: (reading) => note('listUses', reading, { items: [] }),
    earnings: (reading) => note('earnings', reading, { totals: [], items: [] }),
    listAccesses: (reading) => note('listAccesses', reading, { items: [] }),
    exportPerson: (reading) => note('exportPerson', reading, new Response('')),
    personConsents: (reading) => note('personConsents', reading, new Response('')),
    makeRequest: (reading) => note('makeRequest', reading, { items: [] }),
    requestsOfPerson: (reading) => note('requestsOfPerson', reading, { items: [] }),
    listRequests: (facts) => note('listRequests', facts, { items: [] }),
    findRequest: ({ scope }) => note('findRequest', scope, requestDetail),
    handleRequest: ({ scope }) => note('handleRequest', scope, requestDetail),
    listObjections: (reading) => note('listObjections', reading, { items: [] }),
    changeObjection: (reading) => note('changeObjection', reading, changed),
    previewGrant: (terms) => note('previewGrant', terms.dataSet, { notice: digestOf('text'), answers: [] }),
    refuseGrant: ({ person }, change) => note('refuseGrant', { person, change }, changed),
    carryHistory: (reading, records) => note('carryHistory', reading, { carried: records.length, known: 0 }),
    registerIssuer: (facts) => note('registerIssuer', facts.member, undefined),
    issuerKey: (member) => Promise.resolve(issuerKeys[member]?.publicJwk),
    erasePerson: (request) => note('erasePerson', request, erasure),
    listErasures: (request) => note('listErasures', request, { items: [] }),
    retention: (scope) => note('retention', scope, { held: 0, clocks: [], sweeps: [], erasures: [] }),
    sweepRetention: () => note('sweepRetention', undefined, { rows: 0, people: 0 }),
    listSentNotices: (request) => note('listSentNotices', request, { items: [] }),
    personNotices: (reading) => note('personNotices', reading, { items: [] }),
    findErasure: (request) => note('findErasure', request, erasure),
    correctPerson: (request) =>
      note('correctPerson', request, {
        correction: 'correction_01J00000000000000000000000',
        dataSet: request.dataSet,
        columns: [],
        rows: 1,
        requestedBy: request.by,
        correctedAt: '2026-11-24T10:00:00Z',
        recipients: [],
        receipt: 0,
      }),
    restrictPerson: (request) => note('restrictPerson', request, restriction),
    findRestriction: (request) => note('findRestriction', request, restriction),
    liftRestriction: (request) => note('liftRestriction', request, restriction),
    completeErasures: () => note('completeErasures', {}, 0),
    readiness: () => Promise.resolve({ isReady: true, checks: {} }),
    metrics: () => Promise.resolve(''),
    peopleToAsk: async function* () {
      yield* []
    },
    handOver: unused,
    notedWhole: () => assert.fail('This act is not part of the test'),
    noteArrival: unused,
    windDown: unused,
    offers: unused,
    localAsk: unused,
    findLocalAnswer: unused,
    floorLimits: unused,
    acquirerKey: () => Promise.resolve(undefined),
    // Backups are tested through a whole site, in test/site/backup.
    listHolds: () => [],
    liftHold: unused,
    listBackups: unused,
    makeBackup: unused,
    destroyBackup: unused,
    // The officer's part is tested through a whole site, in test/site/officer.
    principals: {
      ...unusedPrincipals,
      findPower: () => Promise.resolve(undefined),
      findWards: () => Promise.resolve([]),
    },
    access: {
      evaluate: (request, asker) => note('evaluate', { request, asker }, { decision: false }),
      evaluateAll: (request, asker) => note('evaluateAll', { request, asker }, { evaluations: [] }),
      searchDataSets: (_, asker) => note('searchDataSets', asker, { results: [], page: { next_token: '' } }),
      searchActions: (_, asker) => note('searchActions', asker, { results: [] }),
      listPoints: (facts) => note('listPoints', facts, []),
      namePoint: ({ point, keys: own, issuer }) =>
        note('namePoint', { point, issuer }, { point, keys: own, namedAt: '2026-11-24T10:00:00Z' }),
      dismissPoint: (facts) => note('dismissPoint', facts, true),
      pointKey: () => Promise.resolve(undefined),
    },
    officer: {
      ...unusedOfficer,
      regulatorKey: () => Promise.resolve(undefined),
      officerKey: () => Promise.resolve(undefined),
    },
  }
}

const unused = () => Promise.reject(new Error('not called by these tests'))
/** Guardians are tested through a whole site, in test/site/principals. */
const unusedPrincipals: PrincipalActs = {
  findPower: unused,
  findWards: unused,
  establishGuardianship: unused,
  listGuardians: unused,
  listWards: unused,
  endGuardianship: unused,
  viewPrincipal: unused,
  giveAgeEvidence: unused,
  ageChallenge: unused,
  proveAge: unused,
  endAgeEvidence: unused,
  tellMove: unused,
  confirmGrants: unused,
}
const unusedOfficer: OfficerActs = {
  register: unused,
  keepParty: unused,
  notice: unused,
  listAssessments: unused,
  attachAssessment: unused,
  withdrawAssessment: unused,
  listBases: unused,
  listOfficers: unused,
  nameOfficer: unused,
  dismissOfficer: unused,
  officerKey: unused,
  listAuthorityRequests: unused,
  recordAuthorityRequest: unused,
  decideAuthorityRequest: unused,
  listContracts: unused,
  recordContract: unused,
  confirmContract: unused,
  listSubProcessors: unused,
  announceSubProcessor: unused,
  answerSubProcessor: unused,
  endContract: unused,
  recordBasis: unused,
  declareBases: unused,
  endBasis: unused,
  changeBasisPeople: unused,
  personBases: unused,
  transfers: unused,
  removeTransfer: unused,
  restoreTransfer: unused,
  listIncidents: unused,
  openIncident: unused,
  findIncident: unused,
  addIncidentStep: unused,
  incidentLetters: unused,
  registerRegulator: unused,
  removeRegulator: unused,
  regulatorKey: unused,
}

const requestDetail = {
  id: 'req_1',
  kind: 'access' as const,
  issuer: 'world-sport',
  receivedAt: '2026-11-24T10:00:00Z',
  state: 'open' as const,
  dueOn: '2026-12-24',
  extendableUntil: '2026-12-24',
  daysLeft: 30,
  isOverdue: false,
  events: [],
}

const keys = {
  signing: { kty: 'OKP' as const, crv: 'Ed25519' as const, x: `${'B'.repeat(42)}A` },
  sealing: { kty: 'OKP' as const, crv: 'X25519' as const, x: `${'B'.repeat(42)}A` },
}

/** The smallest manifest that is one. */
export function wireManifest(dataSet: string, issuer: string) {
  const everywhere = { within: ['EEA'] }
  return {
    dataSet,
    title: 'A data set',
    issuer,
    person: { key: 'id' },
    columns: [{ name: 'id', type: 'text' as const }],
    legalBasis: 'eu-gdpr:A6-1-a',
    purposes: ['dpv:AcademicResearch'],
    modes: ['aggregate' as const],
    perimeter: { store: everywhere, process: everywhere, release: everywhere },
    retention: { period: 'P5Y', from: '2026-01-01' },
    tariff: { currency: 'EUR' as const, capMinor: 100 },
    splits: { issuer: 5_000, custodian: 2_000, network: 500, subjects: 2_500 },
  }
}

const erasure = {
  erasure: 'erasure_01J00000000000000000000000',
  site: 'galway',
  issuer: 'world-sport',
  state: 'deleted' as const,
  grade: 'deleted' as const,
  reason: 'request' as const,
  requestedBy: 'operator',
  requestedAt: '2026-11-24T10:00:00Z',
  permanentBy: '2026-11-25T10:00:00Z',
  stores: [],
  recipients: [],
  kept: [],
  receipts: [],
}

const restriction = {
  restriction: 'restriction_01J00000000000000000000000',
  issuer: 'world-sport',
  state: 'in_force' as const,
  reason: 'accuracy_contested' as const,
  requestedBy: 'operator',
  since: '2026-11-24T10:00:00Z',
  receipts: [],
}

function manifestOf(dataSet: string, issuer: string) {
  return manifestSchema.parse(wireManifest(dataSet, issuer))
}

function viewOf(dataSet: string, issuer: string): DataSetView {
  return {
    dataSet: dataSetIdSchema.parse(dataSet),
    title: 'A data set',
    issuer: memberIdSchema.parse(issuer),
    state: 'active',
    rows: 0,
    people: 0,
    batches: 0,
    manifestDigest: digestOf('manifest'),
    mayBeStored: true,
    mayBeProcessed: true,
    describedAt: '2026-11-24T10:00:00Z',
  }
}

/** The Data Rights Protocol is tested through a whole site, in test/site/data-rights. */
export const unusedAgentDesk: AgentDesk = {
  directory: unused,
  setUpAgent: unused,
  agent: unused,
  exercise: unused,
  status: unused,
  revoke: unused,
}
