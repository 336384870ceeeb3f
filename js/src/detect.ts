/** Whether relaxed SIMD can be relied on: by running it, because asking is not enough. */

/**
 * A module of one function, `run`, that uses the relaxed instructions of our build:
 * `i16x8.relaxed_dot_i8x16_i7x16_s` on −63 × 126 and on 126 × 126, widened by
 * `i32x4.extadd_pairwise_i16x8_s` and `i32x4.dot_i16x8_s`, and `f32x4.relaxed_madd` on 3 × 5 + 7.
 */
const MODULE =
  'AGFzbQEAAAABBQFgAAF/AwIBAAcHAQNydW4AAAqxAQGuAQD9DMHBwcHBwcHBwcHBwcHBwcH9DH5+fn5+fn5+fn5+fn5+fn79' +
  'kgL9fv0bA/0Mfn5+fn5+fn5+fn5+fn5+fv0Mfn5+fn5+fn5+fn5+fn5+fv2SAv0MAQABAAEAAQABAAEAAQABAP26Af0bAf0M' +
  'AABAQAAAQEAAAEBAAABAQP0MAACgQAAAoEAAAKBAAACgQP0MAADgQAAA4EAAAOBAAADgQP2FAv34Af0bAmpqCw==';

/** −63·126·4 + 126·126·4 + 3·5 + 7, wherever rounding and signs are as our kernels need them. */
const EXPECTED = 31_774;

/** Compiles and runs the instructions; false where they are unknown or compute something else. */
export async function runsRelaxedSimd(): Promise<boolean> {
  try {
    const bytes = Uint8Array.from(atob(MODULE), (letter) => letter.charCodeAt(0));
    if (!WebAssembly.validate(bytes)) return false;
    const { instance } = await WebAssembly.instantiate(bytes);
    return (instance.exports['run'] as () => number)() === EXPECTED;
  } catch {
    return false;
  }
}
