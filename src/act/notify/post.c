/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "act/notify/post.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/text.h"
#include "sys/library.h"
#include "sys/say.h"
#include "sys/whole.h"

enum { CA_MOST = 4 << 20, ANSWER_MOST = 64 * 1024, RECIPIENTS = 16, CONNECT_S = 10 };

/* What we call of libcurl, each with its own type. */
#define CURL_CALLS(X)                                                                                                  \
    X(global_init)                                                                                                     \
    X(easy_init)                                                                                                       \
    X(easy_setopt)                                                                                                     \
    X(easy_cleanup)                                                                                                    \
    X(easy_getinfo)                                                                                                    \
    X(easy_strerror)                                                                                                   \
    X(slist_append)                                                                                                    \
    X(slist_free_all)                                                                                                  \
    X(multi_init) X(multi_setopt) X(multi_add_handle) X(multi_remove_handle) X(multi_socket_action) X(multi_info_read)

static struct {
#define MEMBER(name) __typeof__(curl_##name) *name;
    CURL_CALLS(MEMBER)
#undef MEMBER
} curl;

/* The headers check the types of options only for calls by name. */
#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

struct post {
    struct loop *loop;
    CURLM *multi;
    uint32_t timer;
    int64_t timeout_us;
};

struct sending {
    struct post *post;
    CURL *easy;
    char *text;
    size_t len, at;
    struct curl_slist *headers, *to, *resolve;
    size_t answered;
    char said[POST_SAID]; /* the last line of the answer */
    char failed[CURL_ERROR_SIZE];
    bool mail;
    void (*done)(void *ctx, bool out, const char *said);
    void *ctx;
};

static int load(struct err *e)
{
    static const struct library library = { "libcurl.so.4", "libcurl4", "notices by mail or hook need libcurl" };
#define CALL(name) { "curl_" #name, &curl.name },
    static const struct library_call calls[] = { CURL_CALLS(CALL) };
#undef CALL

    if (library_open(&library, calls, sizeof(calls) / sizeof(*calls), e) < 0)
        return -1;
    return curl.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : err_set(e, 0, "libcurl does not start");
}

/* ---- what is read before the jail ---- */

static int read_secret(const char *path, char secret[POST_SECRET], struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    ssize_t n;

    if (fd < 0)
        return err_set(e, errno, "%s", path);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return err_set(e, 0, "%s is no file", path);
    }
    if (st.st_mode & (S_IRWXG | S_IRWXO)) {
        close(fd);
        return err_set(e, 0, "%s can be read by others than its owner; chmod 600 %s", path, path);
    }
    n = read(fd, secret, POST_SECRET - 1);
    close(fd);
    if (n <= 0)
        return err_set(e, n < 0 ? errno : 0, "%s has nothing in it", path);
    secret[n] = '\0';
    secret[strcspn(secret, "\r\n")] = '\0';
    return 0;
}

static int read_ca(const char *asked, struct slice *ca, struct err *e)
{
    static const char *const usual[] = { "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                                         NULL };
    int fd = -1;
    uint8_t *at;
    ssize_t n;

    for (unsigned i = 0; fd < 0 && (asked[0] ? i == 0 : usual[i] != NULL); i++)
        fd = open(asked[0] ? asked : usual[i], O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return asked[0] ? err_set(e, errno, "%s", asked) : 0; /* TLS will say that it knows nobody */
    at = malloc(CA_MOST);
    n = at ? whole_read(fd, at, CA_MOST) : 0;
    ca->len = n > 0 ? (size_t)n : 0;
    close(fd);
    ca->at = at ? realloc(at, ca->len + 1) : NULL;
    return ca->at ? 0 : err_set(e, ENOMEM, "certificates");
}

int post_way_open(struct post_way *w, const struct notify_way *set, const char *host, struct err *e)
{
    const char *secret = set->password_file[0] ? set->password_file : set->token_file;

    w->set = set;
    (void)snprintf(w->from, sizeof(w->from), "%s%s", set->from[0] ? set->from : "serviola@", set->from[0] ? "" : host);
    if (secret[0] && read_secret(secret, w->secret, e) < 0)
        return -1;
    return read_ca(set->ca_file, &w->ca, e);
}

/* "smtp://mx:25/x" gives mx and 25. */
static bool read_target(const char *url, uint16_t usual, char host[256], uint16_t *port)
{
    struct slice rest = slice_text(strstr(url, "://") ? strstr(url, "://") + 3 : url);
    struct slice number = { 0 };
    struct slice name;
    uint64_t n = usual;

    rest = slice_until(rest, '/', &name);
    if (rest.len > 0 && rest.at[0] == '[') {
        name = slice_until(slice_skip(rest, 1), ']', &number);
        number = slice_skip(number, number.len > 0);
    } else
        name = slice_until(rest, ':', &number);
    if (number.len > 0 && (!slice_to_u64(number, &n) || n == 0 || n > 65535))
        return false;
    *port = (uint16_t)n;
    return name.len > 0 && text_cstr(host, 256, name);
}

static uint16_t usual_port(const char *url)
{
    static const struct {
        const char *begins;
        uint16_t port;
    } known[] = { { "smtp:", 25 }, { "smtps:", 465 }, { "http:", 80 }, { "https:", 443 }, { "socks", 1080 } };

    for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strncmp(url, known[i].begins, strlen(known[i].begins)) == 0)
            return known[i].port;
    return 0;
}

bool post_target(const struct notify_way *w, char host[256], uint16_t *port)
{
    const char *url = w->by == BY_MAIL ? w->server : w->url;

    if (w->proxy[0])
        return read_target(w->proxy, strncmp(w->proxy, "http", 4) == 0 ? 1080 : usual_port(w->proxy), host, port);
    return read_target(url, usual_port(url), host, port);
}

/* ---- one transfer ---- */

static void forget(struct sending *s)
{
    if (s->easy)
        curl.easy_cleanup(s->easy);
    curl.slist_free_all(s->headers);
    curl.slist_free_all(s->to);
    curl.slist_free_all(s->resolve);
    free(s->text);
    free(s);
}

static size_t give_text(char *at, size_t size, size_t n, void *ctx)
{
    struct sending *s = ctx;
    size_t left = s->len - s->at;
    size_t take = size * n < left ? size * n : left;

    memcpy(at, s->text + s->at, take);
    s->at += take;
    return take;
}

/* One line of what the server says, the last one: "250 2.0.0 Ok: queued as 4F2..." */
static size_t keep_line(char *at, size_t size, size_t n, void *ctx)
{
    struct sending *s = ctx;
    struct slice line = slice_trim(slice_of(at, size * n));
    bool last =
        s->mail ? line.len > 0 && !slice_starts_nocase(line, SLICE("221")) : slice_starts_nocase(line, SLICE("HTTP/"));

    if (last) {
        struct text t = TEXT_IN(s->said);

        text_ascii(&t, slice_first(line, POST_SAID));
    }
    return size * n;
}

/* The answer's body is of no use; one that does not end is an error. */
static size_t drop_body(char *at, size_t size, size_t n, void *ctx)
{
    struct sending *s = ctx;

    (void)at;
    s->answered += size * n;
    return s->answered <= ANSWER_MOST ? size * n : 0;
}

static void finish(struct sending *s, CURLcode code)
{
    long status = 0;
    bool out = code == CURLE_OK;
    char why[POST_SAID + CURL_ERROR_SIZE];
    struct text t = TEXT_IN(why);

    (void)curl.easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
    if (out && !s->mail && (status < 200 || status > 299)) {
        out = false;
        text_addf(&t, "the server answered %s", s->said);
    } else if (!out) {
        text_ascii(&t, slice_text(s->failed[0] ? s->failed : curl.easy_strerror(code)));
        if (s->said[0])
            text_addf(&t, " (%s)", s->said);
    }
    s->done(s->ctx, out, out ? s->said : why);
    forget(s);
}

static void look_for_ends(struct post *p)
{
    CURLMsg *m;
    int left;

    while ((m = curl.multi_info_read(p->multi, &left)) != NULL) {
        struct sending *s = NULL;
        CURLcode code = m->data.result;

        if (m->msg != CURLMSG_DONE)
            continue;
        (void)curl.easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&s);
        (void)curl.multi_remove_handle(p->multi, m->easy_handle);
        finish(s, code);
    }
}

static void on_ready(void *ctx, int fd, int events)
{
    struct post *p = ctx;
    int action = (events & LOOP_IN ? CURL_CSELECT_IN : 0) | (events & LOOP_OUT ? CURL_CSELECT_OUT : 0) |
                 (events & LOOP_GONE ? CURL_CSELECT_ERR : 0);
    int running;

    (void)curl.multi_socket_action(p->multi, fd, action, &running);
    look_for_ends(p);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *known)
{
    struct post *p = ctx;
    int events = (what & CURL_POLL_IN ? LOOP_IN : 0) | (what & CURL_POLL_OUT ? LOOP_OUT : 0);
    struct err e;

    (void)easy;
    (void)known;
    loop_unwatch(p->loop, fd);
    if (what != CURL_POLL_REMOVE && loop_watch(p->loop, fd, events, on_ready, p, &e) < 0)
        say("%s", e.text);
    return 0;
}

static void on_time(void *ctx)
{
    struct post *p = ctx;
    int running;

    p->timer = 0;
    (void)curl.multi_socket_action(p->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    look_for_ends(p);
}

static int set_timer(CURLM *multi, long ms, void *ctx)
{
    struct post *p = ctx;

    (void)multi;
    loop_untimer(p->loop, p->timer);
    p->timer = ms < 0 ? 0 : loop_timer(p->loop, ms * 1000, 0, on_time, p);
    return 0;
}

struct post *post_new(struct loop *l, int64_t timeout_us, struct err *e)
{
    struct post *p = calloc(1, sizeof(*p));

    if (!p || load(e) < 0) {
        free(p);
        return NULL;
    }
    *p = (struct post){ .loop = l, .multi = curl.multi_init(), .timeout_us = timeout_us };
    if (!p->multi) {
        (void)err_set(e, ENOMEM, "libcurl");
        free(p);
        return NULL;
    }
    (void)curl.multi_setopt(p->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    (void)curl.multi_setopt(p->multi, CURLMOPT_SOCKETDATA, p);
    (void)curl.multi_setopt(p->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    (void)curl.multi_setopt(p->multi, CURLMOPT_TIMERDATA, p);
    return p;
}

static struct curl_slist *more(struct curl_slist *list, const char *format, ...) __attribute__((format(printf, 2, 3)));
static struct curl_slist *more(struct curl_slist *list, const char *format, ...)
{
    char words[1024];
    va_list args;
    struct curl_slist *longer;

    va_start(args, format);
    (void)vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    longer = curl.slist_append(list, words);
    explicit_bzero(words, sizeof(words));
    return longer ? longer : list;
}

static void set_mail(struct sending *s, const struct post_way *w)
{
    struct slice rest = slice_text(w->set->to);
    char host[256];
    uint16_t port;
    bool here = post_target(w->set, host, &port) &&
                (strcmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0);
    bool strict =
        w->set->tls == NOTIFY_TLS_REQUIRED || (w->set->user[0] && !here) || strncmp(w->set->server, "smtps", 5) == 0;
    long use = strict ? CURLUSESSL_ALL : w->set->tls == NOTIFY_TLS_OFF ? CURLUSESSL_NONE : CURLUSESSL_TRY;

    s->mail = true;
    for (unsigned i = 0; rest.len > 0 && i < RECIPIENTS; i++) {
        struct slice one = slice_trim(slice_until(rest, ',', &rest));

        s->to = more(s->to, "<%.*s>", (int)one.len, (const char *)one.at);
    }
    (void)curl.easy_setopt(s->easy, CURLOPT_URL, w->set->server);
    (void)curl.easy_setopt(s->easy, CURLOPT_USE_SSL, use);
    (void)curl.easy_setopt(s->easy, CURLOPT_SSL_VERIFYPEER, strict ? 1L : 0L);
    (void)curl.easy_setopt(s->easy, CURLOPT_SSL_VERIFYHOST, strict ? 2L : 0L);
    (void)curl.easy_setopt(s->easy, CURLOPT_MAIL_FROM, w->from);
    (void)curl.easy_setopt(s->easy, CURLOPT_MAIL_RCPT, s->to);
    (void)curl.easy_setopt(s->easy, CURLOPT_MAIL_RCPT_ALLLOWFAILS,
                           1L); /* one wrong address is no reason to tell nobody */
    (void)curl.easy_setopt(s->easy, CURLOPT_UPLOAD, 1L);
    (void)curl.easy_setopt(s->easy, CURLOPT_READFUNCTION, give_text);
    (void)curl.easy_setopt(s->easy, CURLOPT_READDATA, s);
    (void)curl.easy_setopt(s->easy, CURLOPT_LOGIN_OPTIONS, "AUTH=PLAIN;AUTH=LOGIN"); /* others load modules */
}

static void set_hook(struct sending *s, const struct post_way *w, const char *key)
{
    char url[NOTIFY_TEXT + 32];
    size_t len = strlen(w->set->url);
    bool bare = w->set->by == BY_ALERTMANAGER && !strstr(w->set->url, "/api/");

    (void)snprintf(url, sizeof(url), "%s%s", w->set->url,
                   !bare                                ? ""
                   : len && w->set->url[len - 1] == '/' ? "api/v2/alerts"
                                                        : "/api/v2/alerts");
    s->headers = more(s->headers, "Content-Type: application/json");
    s->headers = more(s->headers, "Idempotency-Key: \"%s\"", key);
    s->headers = more(s->headers, "Expect:");
    if (w->set->token_file[0])
        s->headers = more(s->headers, "Authorization: Bearer %s", w->secret);
    (void)curl.easy_setopt(s->easy, CURLOPT_URL, url);
    (void)curl.easy_setopt(s->easy, CURLOPT_HTTPHEADER, s->headers);
    (void)curl.easy_setopt(s->easy, CURLOPT_POST, 1L);
    (void)curl.easy_setopt(s->easy, CURLOPT_POSTFIELDS, s->text);
    (void)curl.easy_setopt(s->easy, CURLOPT_POSTFIELDSIZE, (long)s->len);
    (void)curl.easy_setopt(s->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    (void)curl.easy_setopt(s->easy, CURLOPT_USERAGENT, "serviola/" SERVIOLA_VERSION);
}

static void set_bounds(struct sending *s)
{
    (void)curl.easy_setopt(s->easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl.easy_setopt(s->easy, CURLOPT_PROTOCOLS_STR, "http,https,smtp,smtps");
    (void)curl.easy_setopt(s->easy, CURLOPT_TIMEOUT_MS, (long)(s->post->timeout_us / 1000));
    (void)curl.easy_setopt(s->easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    (void)curl.easy_setopt(s->easy, CURLOPT_FRESH_CONNECT, 1L);
    (void)curl.easy_setopt(s->easy, CURLOPT_FORBID_REUSE, 1L);
    (void)curl.easy_setopt(s->easy, CURLOPT_ERRORBUFFER, s->failed);
    (void)curl.easy_setopt(s->easy, CURLOPT_PRIVATE, s);
    (void)curl.easy_setopt(s->easy, CURLOPT_HEADERFUNCTION, keep_line);
    (void)curl.easy_setopt(s->easy, CURLOPT_HEADERDATA, s);
    (void)curl.easy_setopt(s->easy, CURLOPT_WRITEFUNCTION, drop_body);
    (void)curl.easy_setopt(s->easy, CURLOPT_WRITEDATA, s);
}

static void set_peer(struct sending *s, const struct post_way *w, const char *addresses)
{
    struct curl_blob ca = { (void *)(uintptr_t)w->ca.at, w->ca.len, CURL_BLOB_NOCOPY };
    char host[256];
    struct addr literal;
    uint16_t port;

    if (post_target(w->set, host, &port) && addresses[0] && !addr_read(slice_text(host), &literal))
        s->resolve = more(s->resolve, "%s:%u:%s", host, port, addresses);
    (void)curl.easy_setopt(s->easy, CURLOPT_RESOLVE, s->resolve);
    (void)curl.easy_setopt(s->easy, CURLOPT_PROXY, w->set->proxy); /* "": none, whatever the environment says */
    if (w->ca.len > 0)                                             /* it stays where it is as long as the way */
        (void)curl.easy_setopt(s->easy, CURLOPT_CAINFO_BLOB, &ca);
    (void)curl.easy_setopt(s->easy, CURLOPT_CAPATH, NULL);
    if (w->set->user[0]) {
        (void)curl.easy_setopt(s->easy, CURLOPT_USERNAME, w->set->user);
        (void)curl.easy_setopt(s->easy, CURLOPT_PASSWORD, w->secret);
    }
}

int post_send(struct post *p, const struct post_way *w, const char *addresses, const char *key, struct slice text,
              void (*done)(void *ctx, bool out, const char *said), void *ctx, struct err *e)
{
    struct sending *s = calloc(1, sizeof(*s));

    if (!s)
        return err_set(e, ENOMEM, "a notice");
    *s = (struct sending){
        .post = p, .easy = curl.easy_init(), .text = malloc(text.len + 1), .len = text.len, .done = done, .ctx = ctx
    };
    if (!s->easy || !s->text) {
        forget(s);
        return err_set(e, ENOMEM, "a notice");
    }
    memcpy(s->text, text.at, text.len);
    if (w->set->by == BY_MAIL)
        set_mail(s, w);
    else
        set_hook(s, w, key);
    set_bounds(s);
    set_peer(s, w, addresses);
    if (curl.multi_add_handle(p->multi, s->easy) == CURLM_OK)
        return 0;
    forget(s);
    return err_set(e, 0, "libcurl refuses it");
}
