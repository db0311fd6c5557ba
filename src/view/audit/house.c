/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Does one full folder stop everything?  Does an older kernel run than is installed? */
#include <string.h>

#include "base/words.h"
#include "view/audit/inner.h"

static const char *const apart[] = { "/tmp", "/home", "/var" };
enum { APART = sizeof(apart) / sizeof(apart[0]) };

/* What is mounted there last; NULL: nothing is. */
static const struct snap_mount *mount_at(const struct snap *s, const char *point)
{
    const struct snap_mount *last = NULL;

    SNAP_LIST(s, SNAP_MOUNT, struct snap_mount, m)
    if (slice_eq(m->point, slice_text(point)))
        last = m;
    return last;
}

/* A folder of the same file system that is only mounted once more (bind) fills it all the same. */
static bool is_apart(const struct snap_mount *root, const struct snap_mount *m)
{
    return m && (m->major != root->major || m->minor != root->minor);
}

static void single_partition(struct explain *x)
{
    const struct snap_mount *root = mount_at(x->s, "/");
    char together[64];
    struct text t = TEXT_IN(together);
    unsigned count = 0;
    struct finding *f;

    for (size_t i = 0; root && i < APART; i++)
        if (!is_apart(root, mount_at(x->s, apart[i]))) {
            text_word(&t, count++ > 0 ? ", " : "");
            text_word(&t, apart[i]);
        }
    if (count == 0)
        return;
    f = explain_found(x, "single_partition", count == APART ? GRADE_WARN : GRADE_NOTE);
    if (count == APART)
        explain_text(f, "everything lies on a single file system: %s should be apart", together);
    else
        explain_text(f, "on the file system of / lies also what should be apart: %s", together);
    explain_proof(f, "/ is %s on %s", words_of(root->type).text, words_of(root->source).text);
    explain_next(f, "whoever fills one of them stops everything; with the next installation give each a file system");
}

/* "linux-image-6.1.0-27-amd64": "6.1.0-27-amd64"; empty: it is no kernel. */
static struct slice kernel_of(struct slice package)
{
    static const char begin[] = "linux-image-";
    struct slice rest = slice_skip(package, sizeof(begin) - 1);

    if (package.len < sizeof(begin) || memcmp(package.at, begin, sizeof(begin) - 1) != 0 || rest.at[0] < '0' ||
        rest.at[0] > '9')
        return SLICE("");
    return rest;
}

/* -amd64, -cloud-amd64: kernels of another flavour are no successors. */
static struct slice flavour(struct slice kernel)
{
    for (size_t i = 0; i + 1 < kernel.len; i++)
        if (kernel.at[i] == '-' && (kernel.at[i + 1] < '0' || kernel.at[i + 1] > '9'))
            return slice_skip(kernel, i);
    return SLICE("");
}

static void old_kernel(struct explain *x)
{
    struct slice running = snap_host(x->s)->kernel;
    struct words newest = words_of(running);
    struct finding *f;

    SNAP_LIST(x->s, SNAP_INSTALLED, struct snap_installed, p)
    {
        struct slice kernel = kernel_of(p->name);

        if (kernel.len > 0 && slice_eq(flavour(kernel), flavour(running)) &&
            strverscmp(words_of(kernel).text, newest.text) > 0)
            newest = words_of(kernel);
    }
    if (strcmp(newest.text, words_of(running).text) == 0)
        return;
    f = explain_found(x, "old_kernel", GRADE_WARN);
    explain_text(f, "an older kernel runs than is installed: %s, and %s is there", words_of(running).text, newest.text);
    explain_next(f, "start the host anew when it may be");
}

void audit_house(struct explain *x)
{
    single_partition(x);
    old_kernel(x);
}
