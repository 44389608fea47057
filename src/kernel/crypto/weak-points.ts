/**
 * Points of small order on Ed25519 and X25519, 32 bytes in base64url, also in their forms that are not canonical. Under such a key
 * anything may be a good signature (RFC 8032 §8.4 leaves it to the library), and nothing can be sealed to it (RFC 7748 §6.1): whoever
 * registers one wants to deny what they sign, or to have those fail that answer them.
 */
export const WEAK_POINTS: ReadonlySet<string> = new Set([
  'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
  'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA',
  'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
  'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA',
  'xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA3o',
  'xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA_o',
  'JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU',
  'JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_IU',
  '7P_______________________________________38',
  '7P________________________________________8',
  '7f_______________________________________38',
  '7f________________________________________8',
  '7v_______________________________________38',
  '7v________________________________________8',
  '4Ot6fDtBuK4WVuP68Z_EatoJjeucMrH9hmIFFl9JuAA',
  '4Ot6fDtBuK4WVuP68Z_EatoJjeucMrH9hmIFFl9JuIA',
  'X5yVvKNQjCSx0LFVnIPvWwREXMRYHI6G2CJO3dCfEVc',
  'X5yVvKNQjCSx0LFVnIPvWwREXMRYHI6G2CJO3dCfEdc',
])

/** Whether a public key is one of them, in whatever text it stands. */
export function isWeakPoint({ x }: { readonly x: string }): boolean {
  return WEAK_POINTS.has(Buffer.from(x, 'base64url').toString('base64url'))
}
