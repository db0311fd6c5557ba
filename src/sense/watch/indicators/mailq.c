/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many messages wait in the mail server's queue: Postfix, Exim, qmail. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sense/watch/lookout.h"
#include "sense/watch/indicator.h"

enum { EVERY_S = 10, DEPTH = 3, MOST = 200000 };

/* One file a message: in Postfix's folders, Exim's "-H" files, qmail's mess. */
static const struct {
    const char *server, *folder, *ending;
} queues[] = {
    { "postfix", "/var/spool/postfix/maildrop", "" }, { "postfix", "/var/spool/postfix/incoming", "" },
    { "postfix", "/var/spool/postfix/active", "" },   { "postfix", "/var/spool/postfix/deferred", "" },
    { "postfix", "/var/spool/postfix/hold", "" },     { "exim", "/var/spool/exim4/input", "-H" },
    { "exim", "/var/spool/exim/input", "-H" },        { "qmail", "/var/qmail/queue/mess", "" },
};
enum { QUEUES = sizeof(queues) / sizeof(queues[0]) };

struct answer {
    bool there[QUEUES];
    uint32_t messages[QUEUES];
};

struct own {
    struct lookout *lookout;
    uint32_t turn;
    struct answer last;
    bool known;
};

static bool ends_with(const char *name, const char *ending)
{
    size_t n = strlen(name);
    size_t k = strlen(ending);

    return n >= k && strcmp(name + n - k, ending) == 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): DEPTH at most */
static void count(int folder, const char *name, const char *ending, unsigned depth, uint32_t *messages)
{
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    while (dir && *messages < MOST && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        if (entry->d_type == DT_DIR && depth < DEPTH)
            count(fd, entry->d_name, ending, depth + 1, messages);
        else if (entry->d_type == DT_REG)
            *messages += ends_with(entry->d_name, ending);
    }
    if (dir)
        (void)closedir(dir);
    else if (fd >= 0)
        close(fd);
}

static void look(void *ctx, void *answer)
{
    struct answer *a = answer;

    (void)ctx;
    for (unsigned i = 0; i < QUEUES; i++) {
        a->there[i] = access(queues[i].folder, F_OK) == 0;
        a->messages[i] = 0;
        if (a->there[i])
            count(AT_FDCWD, queues[i].folder, queues[i].ending, 0, &a->messages[i]);
    }
}

/* Without a mail server nothing is asked, and nothing runs. */
static bool any_there(void)
{
    for (unsigned i = 0; i < QUEUES; i++)
        if (access(queues[i].folder, F_OK) == 0)
            return true;
    return false;
}

static int open_it(const struct watch_world *w, void **own_, struct err *e)
{
    static const char *folders[QUEUES + 1];
    struct lookout_job job = { .name = "queue",
                               .user = w->user,
                               .keep_caps = w->user ? 1ull << CAP_DAC_READ_SEARCH : 0,
                               .read_only = folders,
                               .work = look,
                               .answer_bytes = sizeof(struct answer) };
    struct own *own;

    if (!any_there())
        return 0;
    for (unsigned i = 0; i < QUEUES; i++)
        folders[i] = queues[i].folder;
    own = calloc(1, sizeof(*own));
    if (!own)
        return err_set(e, 0, "no memory");
    *own_ = own;
    own->lookout = lookout_new(&job, e);
    return own->lookout ? 0 : -1;
}

static void close_it(void *own_)
{
    struct own *own = own_;

    if (own)
        lookout_free(own->lookout);
    free(own);
}

static void sample(void *own_, const struct watch_world *w, const struct facts *f, struct values *out)
{
    struct own *own = own_;
    const struct answer *a = own ? lookout_answer(own->lookout) : NULL;
    double all = 0;

    (void)w;
    if (a) {
        own->last = *a;
        own->known = true;
    }
    if (own && own->turn++ % EVERY_S == 0)
        lookout_ask(own->lookout, f->mono_us);
    if (!own || !own->known)
        return;
    for (unsigned i = 0; i < QUEUES; i++)
        all += own->last.there[i] ? own->last.messages[i] : 0;
    (void)values_set(out, "mail.queue", all);
    for (unsigned i = 0; i < QUEUES; i++)
        if (own->last.there[i] && strcmp(queues[i].server, "postfix") == 0)
            (void)values_setf(out, own->last.messages[i], "mail.queue.%s", strrchr(queues[i].folder, '/') + 1);
}

static const struct indicator_help values[] = {
    { "mail.queue", "", "messages that wait in the queue of Postfix, Exim or qmail" },
    { "mail.queue.NAME", "", "the same in one of Postfix's queues: deferred, active ..." },
    { NULL, NULL, NULL },
};

const struct indicator indicator_mailq = { "mailq", values, open_it, sample, close_it };
