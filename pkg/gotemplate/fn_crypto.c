/* SPDX-License-Identifier: Apache-2.0 */
/* Digests, password hashes, AES. What takes long is charged for, as if it were many steps. */
#include "base/crypto.h"
#include "base/crypto_hash.h"
#include "gotemplate/encodings_internal.h"
#include "gotemplate/functions_internal.h"

enum {
    BCRYPT_COST = 10,
    BCRYPT_STEPS = 1000000,
    SCRYPT_STEPS = 2000000,
    SCRYPT_N = 32768,
    SCRYPT_R = 8,
    SCRYPT_P = 2,
    MASTER_KEY_BYTES = 64,
    ADLER_MODULUS = 65521,
};

/* ---- Digests ---- */

static dv_val digest(dv_run *run, dv_val text, const char *name)
{
    dv_buf *out = dv_run_scratch(run);

    if (!dv_run_charge(run, 1 + text.n / 64))
        return DV_NONE_VAL;
    dv_digest_add_hex(out, name, dv_val_str(text));
    return dv_run_text(run, out);
}

DV_FN(sha1sum)
{
    return digest(run, args[0], "SHA1");
}

DV_FN(sha256sum)
{
    return digest(run, args[0], "SHA256");
}

DV_FN(sha512sum)
{
    return digest(run, args[0], "SHA512");
}

DV_FN(adler32sum)
{
    dv_buf *out = dv_run_scratch(run);
    uint32_t a = 1, b = 0;

    for (uint32_t i = 0; i < args[0].n; i++) {
        a = (a + (unsigned char)args[0].s[i]) % ADLER_MODULUS;
        b = (b + a) % ADLER_MODULUS;
    }
    dv_buf_addf(out, "%u", b << 16 | a);
    return dv_run_text(run, out);
}

/* ---- Passwords ---- */

static void add_bcrypt(dv_run *run, dv_buf *out, dv_str password)
{
    if (!dv_run_charge(run, BCRYPT_STEPS))
        return;
    dv_auto(dv_err) err = dv_bcrypt_add(out, password, BCRYPT_COST);
    if (err)
        dv_buf_adds(out, "failed to encrypt string with bcrypt: bcrypt: password length exceeds "
                         "72 bytes");
}

DV_FN(bcrypt)
{
    dv_buf *out = dv_run_scratch(run);

    add_bcrypt(run, out, DV_ARG(0));
    return dv_run_text(run, out);
}

DV_FN(htpasswd)
{
    dv_buf *out = dv_run_scratch(run);

    if (dv_str_find(DV_ARG(0), ':') >= 0) {
        dv_buf_addf(out, "invalid username: %.*s", DV_FMT(DV_ARG(0)));
        return dv_run_text(run, out);
    }
    dv_buf_add_str(out, DV_ARG(0));
    dv_buf_addc(out, ':');
    add_bcrypt(run, out, DV_ARG(1));
    return dv_run_text(run, out);
}

/* ---- Master Password, version 3: passwords that follow from one ---- */

static const char seed_name[] = "com.lyndir.masterpassword";

/* Patterns by type: the first byte of the seed chooses one. */
static const struct {
    const char *type, *patterns[24];
} password_types[] = {
    {"maximum", {"anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"}},
    {"long",
     {"CvcvnoCvcvCvcv", "CvcvCvcvnoCvcv", "CvcvCvcvCvcvno", "CvccnoCvcvCvcv", "CvccCvcvnoCvcv",
      "CvccCvcvCvcvno", "CvcvnoCvccCvcv", "CvcvCvccnoCvcv", "CvcvCvccCvcvno", "CvcvnoCvcvCvcc",
      "CvcvCvcvnoCvcc", "CvcvCvcvCvccno", "CvccnoCvccCvcv", "CvccCvccnoCvcv", "CvccCvccCvcvno",
      "CvcvnoCvccCvcc", "CvcvCvccnoCvcc", "CvcvCvccCvccno", "CvccnoCvcvCvcc", "CvccCvcvnoCvcc",
      "CvccCvcvCvccno"}},
    {"medium", {"CvcnoCvc", "CvcCvcno"}},
    {"short", {"Cvcn"}},
    {"basic", {"aaanaaan", "aannaaan", "aaannaaa"}},
    {"pin", {"nnnn"}},
};

static const char *characters(char class)
{
    switch (class) {
    case 'V':
        return "AEIOU";
    case 'C':
        return "BCDFGHJKLMNPQRSTVWXYZ";
    case 'v':
        return "aeiou";
    case 'c':
        return "bcdfghjklmnpqrstvwxyz";
    case 'a':
        return "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";
    case 'n':
        return "0123456789";
    case 'o':
        return "@&%?,=[]_:-+*$#!'^~;()/.";
    default:
        return "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()";
    }
}

static void add_u32(dv_buf *out, uint32_t value)
{
    const char bytes[] = {(char)(value >> 24), (char)(value >> 16), (char)(value >> 8),
                          (char)value};

    dv_buf_add(out, bytes, sizeof(bytes));
}

/* The name of the scheme, and a text with its length before it. */
static void add_named(dv_buf *out, dv_str text)
{
    dv_buf_adds(out, seed_name);
    add_u32(out, (uint32_t)text.n);
    dv_buf_add_str(out, text);
}

DV_FN(derivePassword)
{
    DV_CLEANUP(dv_buf_done) dv_buf salt = DV_BUF_INIT(DV_BODY_MAX), site = DV_BUF_INIT(DV_BODY_MAX);
    char key[MASTER_KEY_BYTES];
    unsigned char seed[DV_HMAC_BYTES];
    dv_buf *out = dv_run_scratch(run);
    size_t type = 0, count = 0;

    while (type < DV_LEN(password_types) && !dv_str_is(DV_ARG(1), password_types[type].type))
        type++;
    if (type == DV_LEN(password_types)) {
        dv_buf_addf(out, "cannot find password template %.*s", DV_FMT(DV_ARG(1)));
        return dv_run_text(run, out);
    }
    if (!dv_run_charge(run, SCRYPT_STEPS))
        return DV_NONE_VAL;
    add_named(&salt, DV_ARG(3));
    dv_scrypt(DV_ARG(2), dv_buf_str(&salt), SCRYPT_N, SCRYPT_R, SCRYPT_P, key, sizeof(key));
    add_named(&site, DV_ARG(4));
    add_u32(&site, (uint32_t)args[0].u);
    dv_hmac_sha256((dv_str){key, sizeof(key)}, dv_buf_str(&site), seed);
    while (count < DV_LEN(password_types[type].patterns) && password_types[type].patterns[count])
        count++;
    const char *pattern = password_types[type].patterns[seed[0] % count];
    for (size_t i = 0; pattern[i]; i++) {
        const char *set = characters(pattern[i]);

        dv_buf_addc(out, set[seed[i + 1] % strlen(set)]);
    }
    dv_wipe(key, sizeof(key));
    return dv_run_text(run, out);
}

/* ---- AES-256-CBC; the password's first bytes are the key ---- */

static void fill_key(unsigned char key[DV_AES_KEY_BYTES], dv_str password)
{
    memset(key, 0, DV_AES_KEY_BYTES);
    if (password.n)
        memcpy(key, password.p, DV_MIN(password.n, (size_t)DV_AES_KEY_BYTES));
}

DV_FN(encryptAES)
{
    DV_CLEANUP(dv_buf_done)
    dv_buf plain = DV_BUF_INIT(DV_BODY_MAX), sealed = DV_BUF_INIT(DV_BODY_MAX);
    unsigned char key[DV_AES_KEY_BYTES], iv[DV_AES_BLOCK_BYTES];
    size_t padding = DV_AES_BLOCK_BYTES - args[1].n % DV_AES_BLOCK_BYTES;
    dv_buf *out = dv_run_scratch(run);

    if (!args[1].n)
        return dv_val_lit("");
    fill_key(key, DV_ARG(0));
    dv_random_bytes(iv, sizeof(iv));
    dv_buf_add_str(&plain, DV_ARG(1));
    dv_buf_fill(&plain, (char)padding, padding);
    dv_buf_add(&sealed, iv, sizeof(iv));
    if (!plain.overflow)
        dv_aes_cbc_add(&sealed, /* encrypt= */ true, key, iv, dv_buf_str(&plain));
    out->overflow |= plain.overflow || sealed.overflow;
    dv_base64_add(out, dv_buf_str(&sealed));
    return dv_run_text(run, out);
}

/* Cuts the padding off as the last byte says, or panics as Go would. */
static dv_val unpad(dv_run *run, dv_str plain)
{
    if (!plain.n)
        return dv_run_fail(run, "runtime error: index out of range [-1]");
    unsigned char padding = (unsigned char)plain.p[plain.n - 1];
    if (padding > plain.n)
        return dv_run_fail(run, "runtime error: slice bounds out of range [:%td]",
                           (ptrdiff_t)plain.n - padding);
    return dv_val_string(dv_run_heap(run), dv_str_head(plain, plain.n - padding));
}

DV_FN(decryptAES)
{
    DV_CLEANUP(dv_buf_done) dv_buf sealed = DV_BUF_INIT(DV_BODY_MAX);
    unsigned char key[DV_AES_KEY_BYTES], iv[DV_AES_BLOCK_BYTES];
    dv_buf *out = dv_run_scratch(run);
    ptrdiff_t fault = dv_base64_read(DV_ARG(1), &sealed);

    if (!args[1].n)
        return dv_val_lit("");
    if (fault >= 0)
        return dv_run_fail(run, "illegal base64 data at input byte %td", fault);
    if (sealed.n < sizeof(iv))
        return dv_run_fail(run, "runtime error: slice bounds out of range [:16] with capacity %u",
                           args[1].n / 4 * 3);
    if (sealed.n % DV_AES_BLOCK_BYTES)
        return dv_run_fail(run, "crypto/cipher: input not full blocks");
    fill_key(key, DV_ARG(0));
    memcpy(iv, sealed.p, sizeof(iv));
    dv_aes_cbc_add(out, /* encrypt= */ false, key, iv,
                   dv_str_skip(dv_buf_str(&sealed), sizeof(iv)));
    return unpad(run, dv_buf_str(out));
}
