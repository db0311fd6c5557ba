/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which files are not as their packages have them? */
#include <inttypes.h>

#include "base/words.h"
#include "view/explain/inner.h"

static const struct {
    const char *what, *words;
    enum grade grade;
} kinds[] = {
    { "changed", N_("files of packages were changed"), GRADE_ALARM },
    { "mode", N_("files of packages have other rights than they should"), GRADE_ALARM },
    { "missing", N_("files of packages are missing"), GRADE_WARN },
    { "unpackaged", N_("files stand where packages keep theirs, and belong to none"), GRADE_WARN },
    { "configuration", N_("configuration files of packages were changed, as administrators do"), GRADE_NOTE },
    { "unreadable", N_("files of packages can't be read"), GRADE_NOTE },
};

static void prove(struct finding *f, const struct snap_package *p)
{
    char words[300];
    struct text t = TEXT_IN(words);

    text_word(&t, words_of(p->path).text);
    if (p->package.len > 0)
        text_addf(&t, " (%s %s)", words_of(p->package).text, words_of(p->version).text);
    if (p->should.len > 0)
        text_addf(&t, _(": is %s, should be %s"), words_of(p->is).text, words_of(p->should).text);
    explain_proof(f, "%s", words);
}

void explain_packages(struct explain *x)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct finding *f = NULL;
        size_t count = 0;

        SNAP_LIST(x->s, SNAP_PACKAGE, struct snap_package, p)
        {
            if (!slice_eq(p->what, slice_text(kinds[i].what)))
                continue;
            if (count++ == 0)
                f = explain_found(x, "changed_package", kinds[i].grade);
            prove(f, p);
        }
        if (!f)
            continue;
        explain_text(f, "%zu %s", count, _(kinds[i].words));
        explain_next(
            f, "serviola xray show FILE package   lists them all; apt-get install --reinstall PACKAGE puts them right, "
               "after a copy was kept");
    }
}
