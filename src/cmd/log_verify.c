/* SPDX-License-Identifier: GPL-3.0-or-later */
/* serviola log verify: is the journal whole, unchanged and sealed by whom it says? */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/words.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/log.h"
#include "cmd/sight.h"
#include "journal/verify.h"
#include "sys/say.h"
#include "view/number.h"
#include "view/paint.h"

struct log_options {
    struct common_options common;
    const char *id, *head, *witness, *witness_key;
    bool quick;
};

static const struct option_row rows[] = {
    { "id", 0, OPTION_TEXT, offsetof(struct log_options, id), "HEX", N_("the journal's id, as you noted it elsewhere"),
      NULL },
    { "head", 0, OPTION_TEXT, offsetof(struct log_options, head), "HEX",
      N_("a chain head that you noted elsewhere and that must still occur"), NULL },
    { "witness", 0, OPTION_TEXT, offsetof(struct log_options, witness), "PATH",
      N_("the heads that another host cosigned, as that host keeps them: its store's folder, or its file cosigned-ID"),
      NULL },
    { "witness-key", 0, OPTION_TEXT, offsetof(struct log_options, witness_key), "HEX",
      N_("that host's public key (witness.pub in its store's folder): no other counts"), NULL },
    { "quick", 0, OPTION_FLAG, offsetof(struct log_options, quick), NULL,
      N_("take the bytes of what was packed again by the signature of who packed it; its lines are not unpacked"),
      NULL },
    { 0 },
};

static const struct usage usage = {
    .name = "log verify",
    .what =
        N_("log verify walks the journal: checksums, the hash chain over all blocks, the seal of each segment and the\n"
           "promise of each seal for the next key.  FOLDER is a journal or a store of lines, with the stores of its\n"
           "classes below it; if it is not given, those that are configured.\n"
           "Exit code 0: whole; 1: something is missing or was changed (and it is said what and where)."),
    .synopsis = "[--id HEX] [--head HEX] [--witness PATH] [--witness-key HEX] [--quick] [FOLDER] [--json]",
    .rows = rows,
    .most = 1,
    .examples =
        N_("serviola log verify|the journal of this host; prints its id and head to note elsewhere\n"
           "serviola log verify --id 4f0c... /mnt/evidence/journal|a copy, against the id that was noted\n"
           "serviola log verify --witness /mnt/vault/log /var/lib/serviola/log|against what the vault cosigned"),
};

static bool read_hex(const char *hex, uint8_t out[32])
{
    static const char digits[] = "0123456789abcdef";

    if (strlen(hex) != 64)
        return false;
    for (size_t i = 0; i < 64; i++) {
        const char *at = strchr(digits, hex[i] >= 'A' && hex[i] <= 'F' ? hex[i] | 0x20 : hex[i]);

        if (!at || !*at)
            return false;
        out[i / 2] = (uint8_t)(out[i / 2] << 4 | (at - digits));
    }
    return true;
}

struct hex_words {
    char text[65];
};
static struct hex_words hex_of(const uint8_t bytes[32])
{
    struct hex_words w;

    for (size_t i = 0; i < 32; i++)
        (void)snprintf(w.text + 2 * i, 3, "%02x", bytes[i]);
    return w;
}

struct page {
    bool json, colour;
};

static void finding_json(const struct finding *f)
{
    char line[2048];
    struct text t = TEXT_IN(line);

    text_addf(&t, "{\"fault\":\"%s\",\"segment\":%llu,\"first\":%llu,\"last\":%llu,\"offset\":%llu,\"file\":\"",
              fault_name(f->fault), (unsigned long long)f->segment, (unsigned long long)f->first_seq,
              (unsigned long long)f->last_seq, (unsigned long long)f->offset);
    text_json(&t, slice_of(f->file, strnlen(f->file, sizeof(f->file))));
    text_word(&t, "\",\"text\":\"");
    text_json(&t, slice_of(f->text, strnlen(f->text, sizeof(f->text))));
    text_word(&t, "\"}");
    (void)puts(line);
}

static void on_finding(void *own, const struct finding *f)
{
    const struct page *p = own;
    char words[1024];
    struct text t = TEXT_IN(words);

    if (p->json) {
        finding_json(f);
        return;
    }
    text_visible(&t, slice_of(f->text, strnlen(f->text, sizeof(f->text))));
    (void)printf("%s%-10s%s  %s\n", paint_on(p->colour, f->fault == FAULT_NONE ? PAINT_DIM : PAINT_RED),
                 fault_name(f->fault), paint_off(p->colour), words);
}

static void print_verdict(const struct verdict *v, const struct log_options *o, const char *folder)
{
    (void)printf(words_many("%s: %s events, %llu to %llu, in %s segment", "%s: %s events, %llu to %llu, in %s segments",
                            v->segments),
                 folder, number_words(v->events).text, (unsigned long long)v->first_seq,
                 (unsigned long long)v->last_seq, number_words(v->segments).text);
    if (v->expired > 0)
        (void)printf(words_many("; %s older segment has expired, its seal is there",
                                "; %s older segments have expired, their seals are there", v->expired),
                     number_words(v->expired).text);
    (void)printf("\nid    %s  %s\n", hex_of(v->id).text,
                 !o->id         ? _("(note it elsewhere: it proves the journal)")
                 : v->id_proven ? _("(proven: the keys go back to it)")
                                : _("(NOT the one that was asked for)"));
    (void)printf("head  %s\n", hex_of(v->head).text);
    if (v->vouched > 0)
        (void)printf(words_many("%s segment was packed again and is taken by the signature of who packed it.\n",
                                "%s segments were packed again and are taken by the signature of who packed them.\n",
                                v->vouched),
                     number_words(v->vouched).text);
    if (v->unvouched > 0)
        (void)printf(words_many("%s segment was packed again by an older serviola: its lines are proven, its index is "
                                "signed by nobody.\n",
                                "%s segments were packed again by an older serviola: their lines are proven, their "
                                "indexes are signed by nobody.\n",
                                v->unvouched),
                     number_words(v->unvouched).text);
    if (!v->tip_proven)
        (void)puts(_("The key of the newest segment was not compared: be root, or the scribe's user, to prove that no "
                     "newer segment was cut off."));
    if (v->faults == 0)
        (void)puts(_("The journal is whole."));
    else
        (void)printf(words_many("The journal has %s fault.\n", "The journal has %s faults.\n", v->faults),
                     number_words(v->faults).text);
}

static void verdict_json(const struct verdict *v, const char *folder)
{
    char path[4096];
    struct text t = TEXT_IN(path);

    text_json(&t, slice_text(folder));
    (void)printf("{\"folder\":\"%s\",\"faults\":%llu,\"segments\":%llu,\"expired\":%llu,\"events\":%llu,\"first\":%llu,"
                 "\"last\":%llu,"
                 "\"id\":\"%s\",\"head\":\"%s\",\"id_proven\":%s,\"tip_proven\":%s,\"vouched\":%llu,\"unvouched\":%llu,"
                 "\"cosigned\":%llu,"
                 "\"cosigned_segment\":%llu}\n",
                 path, (unsigned long long)v->faults, (unsigned long long)v->segments, (unsigned long long)v->expired,
                 (unsigned long long)v->events, (unsigned long long)v->first_seq, (unsigned long long)v->last_seq,
                 hex_of(v->id).text, hex_of(v->head).text, v->id_proven ? "true" : "false",
                 v->tip_proven ? "true" : "false", (unsigned long long)v->vouched, (unsigned long long)v->unvouched,
                 (unsigned long long)v->cosigned, (unsigned long long)v->cosigned_segment);
}

static int verify(const struct log_options *o, const char *folder)
{
    struct page p = { .json = o->common.json, .colour = paint_wanted(STDOUT_FILENO) };
    uint8_t id[32] = { 0 };
    uint8_t head[32] = { 0 };
    uint8_t key[32] = { 0 };
    const struct verify_wish wish = { .id = o->id ? id : NULL,
                                      .since_head = o->head ? head : NULL,
                                      .quick = o->quick,
                                      .witness = o->witness,
                                      .witness_key = o->witness_key ? key : NULL };
    struct verdict v = { 0 };
    struct err e;

    if (o->id && !read_hex(o->id, id))
        return options_wrong(&usage, _("--id: 64 hexadecimal digits, as serviola log verify prints them"));
    if (o->head && !read_hex(o->head, head))
        return options_wrong(&usage, _("--head: 64 hexadecimal digits, as serviola log verify prints them"));
    if (o->witness_key && !read_hex(o->witness_key, key))
        return options_wrong(&usage, _("--witness-key: 64 hexadecimal digits, as they stand in witness.pub"));
    if (journal_verify_as(folder, &wish, on_finding, &p, &v, &e) < 0) {
        say("%s", e.text);
        return EXIT_CANNOT;
    }
    if (p.json)
        verdict_json(&v, folder);
    else
        print_verdict(&v, o, folder);
    return v.faults > 0 ? EXIT_FOUND : EXIT_FINE;
}

static int is_store(const struct dirent *at)
{
    return at->d_name[0] != '.';
}

/* The same, and the stores of its classes, which lie below it: each has its own id, head and keys. */
static int verify_with_classes(const struct log_options *o, const char *folder)
{
    const struct log_options class_options = { .common = o->common, .quick = o->quick };
    int code = verify(o, folder);
    struct dirent **names = NULL;
    char path[4096];
    int count;

    if (snprintf(path, sizeof(path), "%s/kept", folder) >= (int)sizeof(path))
        return code;
    count = scandir(path, &names, is_store, alphasort);
    if (count < 0 && errno != ENOENT) {
        say("%s: %s", path, strerror(errno));
        code = EXIT_CANNOT;
    }
    for (int i = 0; i < count; i++) {
        int its = EXIT_CANNOT;

        if (snprintf(path, sizeof(path), "%s/kept/%s", folder, names[i]->d_name) < (int)sizeof(path))
            its = verify(&class_options, path);
        code = its > code ? its : code;
        free(names[i]);
    }
    free(names);
    return code;
}

/* Id and head are the journal's, a witness is the store's. */
static int verify_all(struct log_options *o, const struct house_settings *conf)
{
    const struct log_options lines_options = {
        .common = o->common, .witness = o->witness, .witness_key = o->witness_key, .quick = o->quick
    };
    int lines = EXIT_FINE;
    int code;

    o->witness = o->witness_key = NULL;
    code = verify(o, conf->journal.folder);
    if (conf->log.mode != LOG_OFF)
        lines = verify_with_classes(&lines_options, conf->log.folder);
    return lines > code ? lines : code;
}

int log_verify(int argc, char **argv)
{
    struct log_options o = { 0 };
    struct sight s = { 0 };
    int code;

    if (!options_read(&usage, argc, argv, &o, &code))
        return code;
    if (o.common.count == 1)
        return verify_with_classes(&o, o.common.words[0]);
    code = sight_configure(&s, &o.common);
    if (code == EXIT_FINE)
        code = verify_all(&o, s.conf);
    sight_close(&s);
    return code;
}
