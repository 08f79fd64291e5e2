/**
 * Check digits by ISO/IEC 7064, MOD 97-10 (as in IBAN and LEI): two decimal digits behind a number, such that the whole leaves 1 when
 * divided by 97. Finds each wrong digit and each swap of neighbours, and 96 of 97 of all other errors. Pure.
 */

/** Remainder of a number of any length, digit by digit. */
function remainder(digits: string): number {
  let rest = 0
  for (const digit of digits) rest = (rest * 10 + Number(digit)) % 97
  return rest
}

/** The number with its two check digits. */
export function withCheckDigits(digits: string): string {
  return digits + String(98 - remainder(`${digits}00`)).padStart(2, '0')
}

/** Whether the check digits at the end belong to what stands before them. */
export const checks = (digits: string): boolean => remainder(digits) === 1
