import { execFile } from 'node:child_process'
import { statfs } from 'node:fs/promises'
import { promisify } from 'node:util'
import { LIMITS } from '../../kernel/limits.ts'
import { finding } from '../examination.ts'
import type { Examination, Finding } from '../examination.ts'

/** Whether what is on the disk can be read by whoever takes it away, as far as can be told. */
export async function checkDiskEncryption({ directory }: Examination): Promise<Finding[]> {
  const remedy =
    'Put the directory on an encrypted disk (LUKS, FileVault, BitLocker), and note it in your records'
  const answer = await promisify(execFile)('lsblk', [
    '--noheadings',
    '--output',
    'TYPE',
    '--inverse',
    await deviceOf(directory.root),
  ]).catch(() => undefined)
  if (!answer)
    return [
      finding('disk encryption', 'unknown', {
        says: 'whether the disk is encrypted cannot be told from here',
        remedy,
      }),
    ]
  return answer.stdout.includes('crypt')
    ? [finding('disk encryption', 'good', { says: 'the directory is on an encrypted volume' })]
    : [
        finding('disk encryption', 'warning', {
          says: 'the directory is on a volume without encryption',
          remedy,
        }),
      ]
}

async function deviceOf(path: string): Promise<string> {
  const { stdout } = await promisify(execFile)('df', ['--output=source', path])
  return stdout.trim().split('\n').at(-1) ?? ''
}

const DISK_FREE_BYTES_MIN = 2 * 1024 ** 3

/** Whether there is room for receipts. */
export async function checkDiskSpace({ directory }: Examination): Promise<Finding[]> {
  const disk = await statfs(directory.root).catch(() => undefined)
  if (!disk)
    return [
      finding('disk space', 'unknown', {
        says: 'the free space cannot be told',
        remedy: 'Look at the disk by hand',
      }),
    ]
  const freeBytes = disk.bavail * disk.bsize
  const says = `${(freeBytes / 1e9).toFixed(freeBytes < 1e9 ? 3 : 1)} GB free`
  return freeBytes < DISK_FREE_BYTES_MIN
    ? [
        finding('disk space', 'warning', {
          says,
          remedy: 'Free space: a site that cannot write its receipts releases nothing',
        }),
      ]
    : [finding('disk space', 'good', { says })]
}

/** Whether the machine's time is the network's. */
export async function checkClock({ questions, clock }: Examination): Promise<Finding[]> {
  const theirs = await questions.networkTime()
  if (theirs === undefined)
    return [
      finding('clock', 'unknown', {
        says: 'the network does not answer, so the clock cannot be compared',
        remedy: 'Check network.url and the line',
      }),
    ]
  const offsetMs = Math.abs(clock.now() - theirs)
  return offsetMs > LIMITS.clockSkewMsMax / 2
    ? [
        finding('clock', 'bad', {
          says: `${Math.round(offsetMs / 1000)} s away from the network's: tokens and evidence are judged wrongly`,
          remedy: 'Let the machine keep its time by NTP',
        }),
      ]
    : [finding('clock', 'good', { says: 'agrees with the network’s' })]
}
