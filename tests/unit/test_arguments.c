/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "wire/arguments.h"

/* `|` stands for the NUL between two arguments. */
static void becomes(const char *line, const char *want)
{
    uint8_t bytes[512];
    size_t len = strlen(line);

    memcpy(bytes, line, len);
    for (size_t i = 0; i < len; i++)
        if (bytes[i] == '|')
            bytes[i] = '\0';
    len = arguments_mask(bytes, len);
    for (size_t i = 0; i < len; i++)
        if (bytes[i] == '\0')
            bytes[i] = '|';
    if (len != strlen(want) || memcmp(bytes, want, len) != 0)
        fail_msg("%s\n  became %.*s\n  not    %s", line, (int)len, (const char *)bytes, want);
}

static void what_a_name_calls_secret_is_hidden(void **state)
{
    (void)state;
    becomes("prog|--password=S3cret|--user=bob|", "prog|--password=***|--user=bob|");
    becomes("prog|--password|S3cret|--user|bob|", "prog|--password|***|--user|bob|");
    becomes("prog|--password=my S3cret words|x|", "prog|--password=***|x|");
    becomes("prog|--db-pass=S3cret|--api_key|S3cret|--secret-key=S3cret",
            "prog|--db-pass=***|--api_key|***|--secret-key=***");
    becomes("env|PGPASSWORD=S3 cret;x|psql|", "env|PGPASSWORD=***|psql|");
    becomes("sh|-c|PGPASSWORD=S3cret psql -h db|", "sh|-c|PGPASSWORD=*** psql -h db|");
    becomes("sh|-c|run --token 'S3cret word' --to 'a b'|", "sh|-c|run --token '***' --to 'a b'|");
    becomes("curl|-d|{\"user\":\"bob\",\"password\": \"S3cret\"}|http://h/|",
            "curl|-d|{\"user\":\"bob\",\"password\": \"***\"}|http://h/|");
    becomes("mount|-o|user=bob,password=S3cret,port=3|//h/s|", "mount|-o|user=bob,password=***,port=3|//h/s|");
    becomes("curl|-H|Authorization: Basic S3cret==|-H|X-Auth-Token: S3cret|",
            "curl|-H|Authorization: ***|-H|X-Auth-Token: ***|");
}

static void what_a_program_takes_without_a_name_is_hidden(void **state)
{
    (void)state;
    becomes("/usr/bin/mysqldump|-u|root|-pS3cret|db|", "/usr/bin/mysqldump|-u|root|-p***|db|");
    becomes("mysql|-p|db|", "mysql|-p|db|");
    becomes("sshpass|-p|S3cret|ssh|-p|22|h|", "sshpass|-p|***|ssh|-p|22|h|");
    becomes("sshpass|-pS3cret|ssh|-p22|h|", "sshpass|-p***|ssh|-p22|h|");
    becomes("curl|-u|bob:S3cret|https://h/|", "curl|-u|bob:***|https://h/|");
    becomes("curl|-ubob:S3cret|https://h/|", "curl|-ubob:***|https://h/|");
    becomes("curl|--user|bob:S3cret|", "curl|--user|bob:***|");
    becomes("redis-cli|-a|S3cret|ping|", "redis-cli|-a|***|ping|");
    becomes("smbclient|-U|bob%S3cret|//h/s|", "smbclient|-U|bob%***|//h/s|");
    becomes("openssl|rsa|-passin|pass:S3cret|", "openssl|rsa|-passin|pass:***|");
    becomes("openssl|req|-x|pass:S3cret|", "openssl|req|-x|pass:***|");
    becomes("sh|-c|cd /; mysql -p'S3 cret' db | gzip|", "sh|-c|cd /; mysql -p'***' db | gzip|");
    becomes("ssh|h|mysql -pS3cret db|", "ssh|h|mysql -p*** db|");
}

static void a_password_in_an_address_is_hidden(void **state)
{
    (void)state;
    becomes("wget|https://bob:S3cret@h:80/x?y=1|", "wget|https://bob:***@h:80/x?y=1|");
    becomes("app|--dsn=postgres://bob:S3cret@db/x|", "app|--dsn=postgres://bob:***@db/x|");
    becomes("wget|https://h:80/x@y|", "wget|https://h:80/x@y|");
    becomes("git|clone|https://bob@h/|", "git|clone|https://bob@h/|");
}

static void a_text_of_one_piece_is_read_as_a_shell_would(void **state)
{
    (void)state;
    becomes("ro quiet cifsroot=//s/x,username=u,password=S3cret,ver=3 rd.luks.key=/k",
            "ro quiet cifsroot=//s/x,username=u,password=***,ver=3 rd.luks.key=/k");
    becomes("mysqldump -u root -pS3cret db > /x; PASS=S3cret y", "mysqldump -u root -p*** db > /x; PASS=*** y");
    becomes("su -c 'mysql -pS3cret db' bob", "su -c 'mysql -p*** db' bob");
    becomes("BOOT_IMAGE=/vmlinuz root=/dev/sda1 ks.password=S3cret quiet",
            "BOOT_IMAGE=/vmlinuz root=/dev/sda1 ks.password=*** quiet");
}

static void what_is_no_secret_is_shown(void **state)
{
    static const char *const shown[] = {
        "nginx: master process /usr/sbin/nginx -g daemon on; master_process on;",
        "sshd: root@pts/0",
        "postgres: 15/main: bob db 10.0.0.1(4711) idle in transaction",
        "dovecot/auth: pass",
        "ssh|-p|22|h|",
        "prog|--password-file=/etc/x|--passphrase-fd|3|--no-password|x|--ask-password|y|",
        "prog|--max-tokens|5|--tokenizer=x|--bypass-proxy=h|",
        "master|-w|",
        "smtpd|-n|smtp|-t|inet|-u|-o|stress=|-s|2|",
        "systemd-tty-ask-password-agent|--watch|",
        "cp|-pr|a|b|",
        "python3|-c|x = {1: 2}|",
        "",
        "|",
        "||a||",
        "--password|",
        "--password||x|",
        "://",
        "=|:|",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
        becomes(shown[i], shown[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_name_calls_secret_is_hidden),
        cmocka_unit_test(what_a_program_takes_without_a_name_is_hidden),
        cmocka_unit_test(a_password_in_an_address_is_hidden),
        cmocka_unit_test(a_text_of_one_piece_is_read_as_a_shell_would),
        cmocka_unit_test(what_is_no_secret_is_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
