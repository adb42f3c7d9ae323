/*
 * A browser for tests of web pages: keeps cookies, sends the token of the form it has loaded, and
 * hears streams. The server runs in the same thread (struct web), or is a process. libcurl
 * underneath; the test's program has called curl_global_init(). Every wait has a deadline, and
 * nobody answering fails the test.
 */
#ifndef TTG_TEST_BROWSER_H
#define TTG_TEST_BROWSER_H

#include <stdbool.h>
#include <stddef.h>

struct web;
struct browser;

/* web NULL: a process listens on that port. ca: a PEM file; NULL: plain HTTP. */
struct browser *browser_open(struct web *web, unsigned port, const char *ca);
void browser_close(struct browser **browser);

/* One more line for each request from now on, "Origin: https://elsewhere.example"; NULL: none. */
void browser_add_header(struct browser *browser, const char *line);

/* Each gives the status and keeps the answer; redirects are not followed. */
long browser_get(struct browser *browser, const char *path);
long browser_head(struct browser *browser, const char *path);
/* fields: "a=b&c=d", already encoded; the token of the last page with a form comes with them. */
long browser_post(struct browser *browser, const char *path, const char *fields);
/* As it is, without a token; type NULL: a form's. */
long browser_send(struct browser *browser, const char *method, const char *path, const char *type,
		  const char *body);
/* Loads the page and follows where it leads, five times at most. */
long browser_follow(struct browser *browser);
void browser_sign_in(struct browser *browser, const char *user, const char *password);
/* Fails the test unless the last page holds this text. */
void must_show(const struct browser *browser, const char *text);
void must_not_show(const struct browser *browser, const char *text);

const char *browser_body(const struct browser *browser);
/* Of the last answer; "" when it is not there. Good until the next call. */
const char *browser_header(struct browser *browser, const char *name);
const char *browser_token(const struct browser *browser);
void browser_forget_cookies(struct browser *browser);
/* As another window of the same browser. */
void browser_take_cookies(struct browser *browser, const struct browser *from);

/* Opens a stream beside the pages; gives its status when its head is there. One at a time. */
long browser_listen(struct browser *browser, const char *path, const char *last_id);
/* Waits until all that was heard holds this; "" : until the stream ends. */
void must_hear(struct browser *browser, const char *text);
const char *browser_heard(const struct browser *browser);
void browser_hang_up(struct browser *browser);

#endif
