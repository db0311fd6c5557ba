/* SPDX-License-Identifier: GPL-3.0-or-later */
/* serviola log pack and unpack: files into a sealed evidence file, and the proof that it is still what was packed. */
#include "cmd/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "base/words.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "sense/log/pack.h"
#include "sense/log/unpack.h"
#include "sys/say.h"

#define KEY_FILE "/var/lib/serviola/evidence.key"

struct pack_options {
    struct common_options common;
    const char *into, *key;
};

static const struct option_row pack_rows[] = {
    { "output", 'o', OPTION_TEXT, offsetof(struct pack_options, into), "FILE",
      N_("the evidence file, as evidence.tar.zst; it must not be there"), NULL },
    { "key", 0, OPTION_TEXT, offsetof(struct pack_options, key), "FILE",
      N_("the key that seals, made if it is not there (else " KEY_FILE ")"), NULL },
    { 0 },
};

static const struct usage pack_usage = {
    .name = "log pack",
    .what = N_("log pack puts files into one archive with a manifest (SHA-256, size, time, owner and origin of each), "
               "one root\ndigest over names, order and all else, and a seal.  The same files and key give the same "
               "bytes.\nThe seal is by a key of this host: it shows that nothing was changed since, to those who "
               "noted the digest or\nthe public key elsewhere; who owns this host owns its key."),
    .synopsis = "FILE|DIR... -o FILE [--key FILE] [--json]",
    .rows = pack_rows,
    .least = 1,
    .most = 4096,
    .examples = N_("serviola log pack /var/log -o evidence.tar.zst|prints root and key to note elsewhere\n"
                   "tar --zstd -xf evidence.tar.zst|anyone can open it; then: sha256sum -c SHA256SUMS"),
};

struct unpack_options {
    struct common_options common;
    bool verify;
    const char *into, *root, *key;
    uint64_t most;
};

static const struct option_row unpack_rows[] = {
    { "verify", 0, OPTION_FLAG, offsetof(struct unpack_options, verify), NULL,
      N_("check it; without -C nothing is written"), NULL },
    { "folder", 'C', OPTION_TEXT, offsetof(struct unpack_options, into), "DIR",
      N_("write the files below this folder, once all was checked"), NULL },
    { "root", 0, OPTION_TEXT, offsetof(struct unpack_options, root), "HEX", N_("the root digest that you noted"),
      NULL },
    { "key", 0, OPTION_TEXT, offsetof(struct unpack_options, key), "HEX", N_("the public key that you noted"), NULL },
    { "most", 0, OPTION_NUMBER, offsetof(struct unpack_options, most), "BYTES",
      N_("refuse more than this in all files together (64 GiB)"), NULL },
    { 0 },
};

static const struct usage unpack_usage = {
    .name = "log unpack",
    .what = N_("log unpack checks an evidence file of log pack: each file, the manifest, the root digest, the seal.\n"
               "Exit code 0: it is what was packed; 1: it is not, or it is hostile, and it is said where."),
    .synopsis = "--verify FILE [-C DIR] [--root HEX] [--key HEX] [--json]",
    .rows = unpack_rows,
    .least = 1,
    .most = 1,
    .examples =
        N_("serviola log unpack --verify evidence.tar.zst|check alone\n"
           "serviola log unpack --verify evidence.tar.zst --root 4f0c... -C case7|against the noted digest, and "
           "write the files"),
};

static void note(void *own, const char *name, const char *why)
{
    char visible[1024];
    struct text t = TEXT_IN(visible);

    (void)own;
    text_visible(&t, slice_text(name));
    say("%s: %s", visible, why);
}

/* What an error says may hold names from an archive or a command line. */
static void say_error(const struct err *e)
{
    char visible[2048];
    struct text t = TEXT_IN(visible);

    text_visible(&t, slice_of(e->text, strnlen(e->text, sizeof(e->text))));
    say("%s", visible);
}

static void print_sealed(const char *done, uint64_t files, uint64_t bytes, uint64_t noted,
                         const uint8_t root[EVIDENCE_HASH], const uint8_t key[EVIDENCE_HASH], bool json)
{
    struct evidence_hex r = evidence_hex(root, EVIDENCE_HASH);
    struct evidence_hex k = evidence_hex(key, EVIDENCE_HASH);

    if (json)
        (void)printf("{\"files\":%llu,\"bytes\":%llu,\"noted\":%llu,\"root\":\"%s\",\"key\":\"%s\"}\n",
                     (unsigned long long)files, (unsigned long long)bytes, (unsigned long long)noted, r.text, k.text);
    else
        (void)printf(_("%s: %llu files, %llu bytes\nroot  %s\nkey   %s\n"), done, (unsigned long long)files,
                     (unsigned long long)bytes, r.text, k.text);
}

int log_pack(int argc, char **argv)
{
    struct pack_options o = { .key = KEY_FILE };
    struct evidence_key key;
    struct pack_result r;
    char host[HOST_NAME_MAX + 1] = "";
    struct err e;
    int code;

    if (!options_read(&pack_usage, argc, argv, &o, &code))
        return code;
    if (!o.into)
        return options_wrong(&pack_usage, _("-o FILE is missing: where the evidence goes"));
    if (evidence_key_load(o.key, &key, &e) < 0) {
        say_error(&e);
        return EXIT_CANNOT;
    }
    (void)gethostname(host, sizeof(host) - 1);
    struct pack_order order = {
        .paths = o.common.words, .count = o.common.count, .into = o.into, .host = host, .key = &key, .note = note
    };
    code = pack_files(&order, &r, &e);
    if (code < 0)
        say_error(&e);
    else
        print_sealed(_("packed"), r.files, r.bytes, r.noted, r.root, key.open, o.common.json);
    evidence_key_forget(&key);
    return code < 0 ? EXIT_CANNOT : r.noted > 0 ? EXIT_FOUND : EXIT_FINE;
}

static bool is_noted(const char *hex, const uint8_t is[EVIDENCE_HASH])
{
    uint8_t noted[EVIDENCE_HASH];

    return !hex || (evidence_unhex(slice_text(hex), noted, sizeof(noted)) && memcmp(noted, is, sizeof(noted)) == 0);
}

/* Checked as a whole first; the second reading checks again what it writes. */
static int unpack(const struct unpack_options *o, struct unpack_result *r, struct err *e)
{
    const char *path = o->common.words[0];
    struct unpack_result first;
    int folder;
    int status;

    if (unpack_file(path, -1, o->most, r, e) < 0)
        return -1;
    if (!is_noted(o->root, r->root))
        return err_set(e, 0, _("%s: its root digest is %s, not the one that was asked for"), path,
                       evidence_hex(r->root, EVIDENCE_HASH).text);
    if (!is_noted(o->key, r->key))
        return err_set(e, 0, _("%s: it is sealed by %s, not by the key that was asked for"), path,
                       evidence_hex(r->key, EVIDENCE_HASH).text);
    if (!o->into)
        return 0;
    first = *r;
    if (mkdir(o->into, 0700) < 0 && errno != EEXIST)
        return err_set(e, errno, "%s", o->into);
    folder = open(o->into, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return err_set(e, errno, "%s", o->into);
    status = unpack_file(path, folder, o->most, r, e);
    (void)close(folder);
    if (status == 0 && memcmp(first.root, r->root, sizeof(first.root)) != 0)
        status = err_set(e, 0, _("%s: it was changed between two readings"), path);
    return status;
}

int log_unpack(int argc, char **argv)
{
    struct unpack_options o = { .most = UINT64_C(64) << 30 };
    struct unpack_result r;
    struct err e = { 0 };
    int code;

    if (!options_read(&unpack_usage, argc, argv, &o, &code))
        return code;
    if (!o.verify && !o.into)
        return options_wrong(&unpack_usage, _("--verify checks it, -C DIR writes its files too"));
    if (unpack(&o, &r, &e) < 0) {
        say_error(&e);
        return e.code == 0 ? EXIT_FOUND : EXIT_CANNOT;
    }
    print_sealed(_("whole, as it was sealed"), r.files, r.bytes, 0, r.root, r.key, o.common.json);
    if (!o.common.json && !o.root && !o.key)
        (void)puts(_("This proves that nothing changed since the seal.  That the seal is the right one prove --root or "
                     "--key, noted elsewhere."));
    return EXIT_FINE;
}
