import { checkEvidence, checkPapers, checkPerimeters } from './doctor/answer-checks.ts'
import { checkDirectory, checkKeyAge, checkKeys } from './doctor/key-checks.ts'
import { checkClock, checkDiskEncryption, checkDiskSpace } from './doctor/machine-checks.ts'
import { checkBackups, checkRegistration, checkService } from './doctor/service-checks.ts'
import { checkSettings, checkSignIn } from './doctor/setting-checks.ts'
import type { Examination, Finding } from './examination.ts'

/** Checks everything that would make a site unsafe, each with how to mend it. Changes nothing. */
export async function examineSite(examination: Examination): Promise<readonly Finding[]> {
  const checks = [
    checkKeys,
    checkKeyAge,
    checkDirectory,
    checkEvidence,
    checkPerimeters,
    checkPapers,
    checkDiskEncryption,
    checkDiskSpace,
    checkClock,
    checkRegistration,
    checkService,
    checkSignIn,
    checkBackups,
    checkSettings,
  ]
  const findings: Finding[] = []
  for (const check of checks) findings.push(...(await check(examination)))
  return findings
}
