/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Answers on their way to one client. Owns their texts, which are sent from where they were
 * written, never copied; refuses to know limits and what happens when a client is gone.
 */
#include "varlink-internal.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum {
	PARTS = 3,	  /* head, body, tail */
	SEND_ANSWERS = 8, /* per sendmsg() */
};

struct varlink_answer {
	struct varlink_answer *next;
	char *body; /* the parameters */
	struct iovec parts[PARTS];
	char head[];
};

static struct varlink_answer *answer_free(struct varlink_answer *answer)
{
	if (answer)
		free(answer->body);
	free(answer);
	return NULL;
}

static void answer_freep(struct varlink_answer **answer)
{
	answer_free(*answer);
}

static struct iovec part(const char *text, size_t length)
{
	/* sendmsg() only reads it. */
	return (struct iovec){ (void *)(uintptr_t)text, length };
}

/* Everything before the parameters. */
static struct varlink_answer *answer_new(const char *error)
{
	static const char error_begin[] = "{\"error\":\"", error_end[] = "\",\"parameters\":";
	static const char plain[] = "{\"parameters\":";
	size_t room = sizeof(error_begin) + sizeof(error_end) + (error ? strlen(error) : 0);
	struct varlink_answer *answer = calloc(1, sizeof(*answer) + room);
	char *end;

	if (!answer)
		return NULL;
	end = stpcpy(answer->head, error ? error_begin : plain);
	if (error)
		end = stpcpy(stpcpy(end, error), error_end);
	answer->parts[0] = part(answer->head, (size_t)(end - answer->head));
	return answer;
}

static void append(struct varlink_output *output, struct varlink_answer *answer)
{
	for (unsigned int i = 0; i < PARTS; i++)
		output->bytes += answer->parts[i].iov_len;
	if (output->last)
		output->last->next = answer;
	else
		output->first = answer;
	output->last = answer;
}

int varlink_output_push(struct varlink_output *output, const char *error, struct json *parameters,
			bool continues)
{
	static const char last[] = "}", more[] = ",\"continues\":true}";
	struct varlink_answer *answer CLEANUP(answer_freep) = answer_new(error);
	size_t length = 0;
	char *body = NULL;

	if (parameters) {
		body = json_take(parameters, &length);
		if (!body)
			return -ENOMEM;
	}
	if (!answer) {
		free(body);
		return -ENOMEM;
	}
	answer->body = body;
	answer->parts[1] = body ? part(body, length) : part("{}", 2);
	answer->parts[2] = continues ? part(more, sizeof(more)) : part(last, sizeof(last));
	append(output, TAKE_PTR(answer));
	return 0;
}

int varlink_output_push_messages(struct varlink_output *output, struct json *messages)
{
	struct varlink_answer *answer CLEANUP(answer_freep) = answer_new(NULL);
	size_t length = 0;
	char *body = json_take(messages, &length);

	if (!answer || !body) {
		free(body);
		return -ENOMEM;
	}
	answer->body = body;
	answer->parts[0] = part(body, length);
	append(output, TAKE_PTR(answer));
	return 0;
}

static void pop(struct varlink_output *output)
{
	struct varlink_answer *answer = output->first;

	output->first = answer->next;
	if (!output->first)
		output->last = NULL;
	output->sent = 0;
	answer_free(answer);
}

static void consume(struct varlink_output *output, size_t size)
{
	output->bytes -= size;
	output->sent += size;
	while (output->first) {
		size_t length = 0;

		for (unsigned int i = 0; i < PARTS; i++)
			length += output->first->parts[i].iov_len;
		if (output->sent < length)
			return;
		size = output->sent - length;
		pop(output);
		output->sent = size;
	}
}

/* The first answers from where sending stopped; returns how many parts. */
static size_t gather(const struct varlink_output *output, struct iovec *iov, size_t n_iov)
{
	size_t skip = output->sent, n = 0;

	for (struct varlink_answer *answer = output->first; answer && n < n_iov;
	     answer = answer->next) {
		for (unsigned int i = 0; i < PARTS && n < n_iov; i++) {
			struct iovec *from = &answer->parts[i];

			if (skip >= from->iov_len) {
				skip -= from->iov_len;
				continue;
			}
			iov[n++] = part((const char *)from->iov_base + skip, from->iov_len - skip);
			skip = 0;
		}
	}
	return n;
}

int varlink_output_send(struct varlink_output *output, int fd)
{
	bool progress = false;

	while (output->bytes > 0) {
		struct iovec iov[PARTS * SEND_ANSWERS];
		struct msghdr message = { .msg_iov = iov };
		ssize_t n;

		message.msg_iovlen = gather(output, iov, ARRAY_SIZE(iov));
		n = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0)
			return -errno;
		consume(output, (size_t)n);
		progress = true;
	}
	return progress;
}

void varlink_output_clear(struct varlink_output *output)
{
	while (output->first)
		pop(output);
	output->bytes = 0;
}
