import { strict as assert } from 'node:assert'
import { execFileSync, spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { z } from 'zod'
import { discreteGaussian, discreteLaplace } from '../../../src/site/privacy/discrete-noise.ts'
import { exactChance } from '../../../src/site/privacy/exact-chance.ts'
import { pureLoss } from '../../../src/site/privacy/privacy-loss.ts'
import { seededBytes } from '../../../src/testing/seeded-bytes.ts'
import { epsilonMicroOf } from './epsilon-of-loss.ts'
import { normalOf, tally } from './goodness-of-fit.ts'

/** The well-known library beside ours, where this machine has it (`pip install opendp`). */
const hasOpenDp = spawnSync('python3', ['-c', 'import opendp.prelude']).status === 0
const only = { skip: hasOpenDp ? false : 'no Python with OpenDP here' }

const DRAWS = 20_000
/** Their draws come from the machine's entropy, so this is one in a hundred million rather than in 30,000. */
const MISFIT_MAX = 5.7

const SCRIPT = `
import json, opendp.prelude as dp
dp.enable_features("contrib")
one = (dp.vector_domain(dp.atom_domain(T=int)), dp.l1_distance(T=int))
two = (dp.vector_domain(dp.atom_domain(T=int)), dp.l2_distance(T=float))
laplace = dp.m.make_laplace(*one, scale=2.5)
gaussian = dp.m.make_gaussian(*two, scale=5.0)
both = dp.c.make_composition([laplace, laplace, laplace])
approx = dp.c.make_zCDP_to_approxDP(gaussian)
print(json.dumps({
  "laplace": laplace([0] * ${DRAWS}), "gaussian": gaussian([0] * ${DRAWS}),
  "laplaceEpsilon": laplace.map(1), "threeEpsilon": both.map(1), "gaussianRho": gaussian.map(1.0),
  "pureRho": dp.c.make_pureDP_to_zCDP(laplace).map(1),
  "epsilons": [[delta, dp.c.make_fix_delta(approx, delta).map(1.0)[0]] for delta in (1e-5, 1e-6, 1e-9)],
}))`

const reportSchema = z.object({
  laplace: z.array(z.number()),
  gaussian: z.array(z.number()),
  laplaceEpsilon: z.number(),
  threeEpsilon: z.number(),
  gaussianRho: z.number(),
  pureRho: z.number(),
  epsilons: z.array(z.tuple([z.number(), z.number()])),
})

function report(): z.infer<typeof reportSchema> {
  const text = execFileSync('python3', ['-c', SCRIPT], { encoding: 'utf8', maxBuffer: 1 << 24 })
  return reportSchema.parse(JSON.parse(text))
}

function counted(values: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}

/** Two samples against each other: cells in which fewer than 10 stand are put together. */
function difference(ours: ReadonlyMap<number, number>, theirs: ReadonlyMap<number, number>): number {
  const values = [...new Set([...ours.keys(), ...theirs.keys()])].toSorted((a, b) => a - b)
  let [square, cells, left, right] = [0, 0, 0, 0]
  for (const value of values) {
    left += ours.get(value) ?? 0
    right += theirs.get(value) ?? 0
    if (left + right < 20) continue
    square += (left - right) ** 2 / (left + right)
    cells += 1
    ;[left, right] = [0, 0]
  }
  return normalOf(square, cells - 1)
}

test('noise has the distribution that OpenDP gives it, and costs what OpenDP says', only, () => {
  const theirs = report()
  const chance = exactChance(seededBytes('opendp'))
  const laplace = tally(DRAWS, () => discreteLaplace({ numerator: 5n, denominator: 2n }, chance))
  const gaussian = tally(DRAWS, () => discreteGaussian({ numerator: 25n, denominator: 1n }, chance))
  assert.ok(difference(laplace, counted(theirs.laplace)) < MISFIT_MAX)
  assert.ok(difference(gaussian, counted(theirs.gaussian)) < MISFIT_MAX)
  assert.ok(difference(gaussian, counted(theirs.laplace)) > MISFIT_MAX, 'the comparison tells noises apart')

  assert.ok(Math.abs(theirs.laplaceEpsilon - 0.4) < 1e-9)
  assert.ok(Math.abs(theirs.threeEpsilon - 1.2) < 1e-9)
  assert.ok(Math.abs(theirs.pureRho - pureLoss(400_000).rhoNano / 1e9) < 1e-8)
  assert.ok(Math.abs(theirs.gaussianRho - 0.02) < 1e-9)
  for (const [delta, epsilon] of theirs.epsilons) {
    const ours = epsilonMicroOf(20_000_000, delta) / 1e6
    // Ours is a simpler bound, so never below theirs, and not far above.
    assert.ok(ours >= epsilon && ours <= epsilon * 1.3, `${ours} beside ${epsilon} at ${delta}`)
  }
})
