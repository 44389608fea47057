import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { formatInstant, later } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import { describeProblems, parseWith } from '../../kernel/parse.ts'
import { parseYaml } from '../../kernel/yaml.ts'
import { manifestSchema } from '../../protocol/data-set.ts'
import { evidenceSchema } from '../../protocol/proof/evidence.ts'
import { modeSchema } from '../../protocol/mode.ts'
import { releaseToSchema } from '../../protocol/law/perimeter.ts'
import { REASONS } from '../../protocol/reason.ts'
import { countrySchema, purposeSchema } from '../../protocol/wire.ts'
import { readManifest } from '../site/dataset.ts'
import { WrongUse } from '../failures.ts'
import { readText } from '../open-file.ts'

/** What an ask that gets past the terms is called in a test: it would be opened. */
const ADMITTED = 'admitted'

const testsSchema = z.strictObject({
  /** The manifest, relative to the file of tests. */
  policy: z.string(),
  /** Where the site stands. */
  site: z.strictObject({ territory: countrySchema, longitude: z.number(), latitude: z.number() }),
  tests: z
    .array(
      z.strictObject({
        name: z.string('expected a name').min(1),
        purpose: purposeSchema,
        mode: modeSchema,
        legalBasis: z.string().default('eu-gdpr:A6-1-a'),
        releaseTo: releaseToSchema,
        /** What the network's operator has checked of the acquirer. */
        transferBases: z.array(z.string()).default([]),
        /** Grounds for transfers that are removed, as in the settings of a site. */
        removed: z.array(z.string()).default([]),
        expect: z
          .string()
          .refine(
            (code) => code === ADMITTED || Object.hasOwn(REASONS, code),
            `expected "${ADMITTED}" or a reason`,
          ),
      }),
    )
    .min(1, 'expected at least one test'),
})

/** One test that was run. */
export interface PolicyTestResult {
  readonly name: string
  readonly expected: string
  readonly found: string
  readonly isGood: boolean
}

/** Runs the tests of a policy, off line: by the checks of a site, on the manifest in its file. */
export async function runPolicyTests(file: string, now: Instant): Promise<readonly PolicyTestResult[]> {
  const document = parseYaml(await readText(file))
  const parsed = document.ok ? parseWith(testsSchema, document.value) : document
  if (!parsed.ok) throw new WrongUse(`Cannot use the tests "${file}": ${describeProblems(parsed.error)}`)
  const { policy, site, tests } = parsed.value
  const manifest = manifestSchema.parse(await readManifest(resolve(dirname(file), policy)))
  const evidence = evidenceSchema.parse({
    site: 'tried-here',
    kind: 'operator-attested',
    ...site,
    attestsNearBorder: true,
    validFrom: formatInstant(later(now, -DAY_MS)),
    validUntil: formatInstant(later(now, DAY_MS)),
  })
  const { tryPolicy } = await import('../../site/try-policy.ts')
  return tests.map(({ name, expect, transferBases, removed, ...ask }) => {
    const decline = tryPolicy({
      manifest,
      ask,
      transferBases,
      evidence,
      removedGrounds: new Set(removed),
      now,
    })
    const found = decline?.code ?? ADMITTED
    return { name, expected: expect, found, isGood: found === expect }
  })
}

const DAY_MS = 86_400_000
