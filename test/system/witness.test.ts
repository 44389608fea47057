import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { signCheckpoint } from '../../src/protocol/proof/checkpoint.ts'
import { cosignaturesOf, parseWitness } from '../../src/protocol/proof/cosignature.ts'
import type { ReceiptBundle } from '../../src/protocol/decision.ts'
import { leafHash, nodeHash } from '../../src/protocol/proof/merkle.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { SITE_API } from '../../src/protocol/http/site-api.ts'
import { verifyReceipt } from '../../src/sdk/verify.ts'
import { testPeople } from '../../src/testing/test-population.ts'
import { testTrade } from '../../src/testing/test-trade.ts'
import { runCli, temporaryHome } from '../cli/run-cli.ts'
import { until } from '../site/floor/local-world.ts'

const SQL = 'select country, count(*) as n from athletes group by country'

test('receipts of a trade are witnessed soon after it, and one of a log shown to nobody else is found out', async (context) => {
  await using trade = await testTrade()
  await trade.fill(trade.site(), { dataSet: 'athletes', people: testPeople(120) })
  const info = await trade.network.call(undefined, NETWORK_API.network)
  const witness = parseWitness(info.witness ?? '')
  assert.ok(witness && info.witness !== undefined)
  const acquirer = await trade.addAcquirer('northcare')
  // Several, so that the checkpoints of some are shown together.
  const ids: string[] = []
  for (const column of ['n', 'people', 'athletes', 'count']) {
    const result = await acquirer.ask(SQL.replace('as n', `as ${column}`))
    assert.deepEqual(result.sites[0]?.problems, [])
    ids.push(result.id)
  }
  let bundles: readonly ReceiptBundle[] = []
  await until('the receipts are witnessed', async () => {
    const states = await Promise.all(ids.map((id) => acquirer.acquirer.find(id)))
    bundles = states.flatMap(({ sites }) => sites.flatMap(({ receipts }) => receipts))
    return (
      bundles.length > 0 &&
      bundles.every(({ log }) => cosignaturesOf(log.checkpoint, [witness])?.length === 1)
    )
  })
  // The site serves it too.
  await until('the served checkpoint is witnessed', async () => {
    const served = await (await fetch(`${trade.site().url}/checkpoint`)).text()
    return cosignaturesOf(served, [witness])?.length === 1
  })
  const site = trade.site()
  const { keys } = await site.client(undefined).call(SITE_API.site)
  const pinned = {
    network: { name: info.name, signing: info.signing, witness: info.witness },
    sites: { galway: { first: keys, present: keys, rotations: [] } },
  }
  for (const bundle of bundles) {
    const verified = verifyReceipt(bundle, pinned, [witness])
    assert.ok(verified.isVerified && verified.witnessed.length === 1)
  }
  // The attack: the site shows one acquirer a log of its own, with a good signature and a good proof.
  const [bundle] = bundles
  assert.ok(bundle)
  const split = splitView(bundle, site.signing)
  assert.ok(verifyReceipt(split, pinned).isVerified, 'without a witness it cannot be told')
  assert.equal(verifyReceipt(split, pinned, [witness]).problem?.includes('not witnessed'), true)
  const [, signature = ''] = bundle.log.checkpoint.split('\n\n')
  const stolen = signature.split('\n').find((line) => line.includes('/witness '))
  const borrowed = { ...split, log: { ...split.log, checkpoint: `${split.log.checkpoint}${stolen}\n` } }
  assert.equal(verifyReceipt(borrowed, pinned).problem?.includes('witness signature'), true)
  await byCommandLine(await temporaryHome(context), { pinned, bundle, split, witness: info.witness })
})

async function byCommandLine(
  home: string,
  {
    pinned,
    bundle,
    split,
    witness,
  }: { pinned: object; bundle: ReceiptBundle; split: ReceiptBundle; witness: string },
): Promise<void> {
  const keys = join(home, 'keys.json')
  await writeFile(keys, JSON.stringify(pinned))
  await writeFile(join(home, 'good.json'), JSON.stringify(bundle))
  await writeFile(join(home, 'split.json'), JSON.stringify(split))
  const verify = (file: string, ...more: readonly string[]) =>
    runCli(home, ['receipt', 'verify', join(home, file), '--keys', keys, ...more])
  const good = await verify('good.json', '--witness', witness)
  assert.equal(good.code, 0, good.error)
  assert.match(good.out, /witnessed by hedgerow\/network\/witness 20/)
  assert.equal((await verify('split.json')).code, 0)
  const caught = await verify('split.json', '--witness', witness)
  assert.equal(caught.code, 1)
  assert.match(caught.out, /not witnessed/)
  assert.equal((await verify('good.json', '--witness', 'nobody')).code, 2)
}

/** The receipt as the only one of a log whose number it has: every other leaf is made up, and nobody can see them. */
function splitView(
  { receipt, log }: ReceiptBundle,
  key: Parameters<typeof signCheckpoint>[1],
): ReceiptBundle {
  const leaf = leafHash(new TextEncoder().encode(receipt))
  const { root, proof, size } = inventedTree(leaf, log.index)
  const checkpoint = signCheckpoint({ origin: log.origin, size, root }, key)
  return { receipt, log: { ...log, inclusionProof: proof.map((hash) => hash.toBase64()), checkpoint } }
}

/** A full tree around a leaf, with hashes of nothing for all that is beside its path. */
function inventedTree(leaf: Uint8Array, index: number) {
  const levels = Math.max(1, Math.ceil(Math.log2(index + 1)))
  const proof: Uint8Array[] = []
  let hash = leaf
  let place = index
  for (let level = 0; level < levels; level += 1) {
    const sibling = new Uint8Array(32).fill(level + 1)
    proof.push(sibling)
    hash = place % 2 === 1 ? nodeHash(sibling, hash) : nodeHash(hash, sibling)
    place = Math.floor(place / 2)
  }
  return { root: hash, proof, size: 2 ** levels }
}
