#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>

#include "sign/secret_internal.h"

/*
 * While a person types, the terminal neither echoes nor sends signals, and signals from elsewhere
 * wait: whatever ends the program finds the terminal as it was.
 */
struct terminal {
	int fd;
	struct termios before;
	sigset_t mask;
};

enum { KEY_INTERRUPT = 3, KEY_END = 4, KEY_BACKSPACE = 8, KEY_KILL = 21, KEY_DELETE = 127 };

static int hush(struct terminal *terminal, struct ingot_error *err)
{
	struct termios quiet;
	sigset_t stop;

	if (tcgetattr(terminal->fd, &terminal->before) < 0)
		return ingot_raise_errno(err, errno, "the terminal");
	(void)sigemptyset(&stop);
	(void)sigaddset(&stop, SIGINT);
	(void)sigaddset(&stop, SIGTERM);
	(void)sigaddset(&stop, SIGHUP);
	(void)sigaddset(&stop, SIGQUIT);
	(void)pthread_sigmask(SIG_BLOCK, &stop, &terminal->mask);
	quiet = terminal->before;
	quiet.c_lflag &= (tcflag_t) ~(ECHO | ECHOE | ECHOK | ECHONL | ICANON | ISIG);
	quiet.c_iflag |= ICRNL;
	quiet.c_cc[VMIN] = 1;
	quiet.c_cc[VTIME] = 0;
	if (tcsetattr(terminal->fd, TCSAFLUSH, &quiet) == 0)
		return 0;
	(void)pthread_sigmask(SIG_SETMASK, &terminal->mask, NULL);
	return ingot_raise_errno(err, errno, "the terminal");
}

static void restore(const struct terminal *terminal)
{
	(void)tcsetattr(terminal->fd, TCSAFLUSH, &terminal->before);
	(void)dprintf(terminal->fd, "\n");
	(void)pthread_sigmask(SIG_SETMASK, &terminal->mask, NULL);
}

static int type(int fd, char *text, size_t *ret_n, struct ingot_error *err)
{
	size_t n = 0;

	for (;;) {
		char c;
		ssize_t got = read(fd, &c, 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 || c == KEY_INTERRUPT || (c == KEY_END && n == 0))
			return ingot_raise(err, -ECANCELED, "nobody typed it");
		if (c == '\n')
			break;
		if (c == KEY_KILL)
			n = 0;
		else if (c == KEY_BACKSPACE || c == KEY_DELETE)
			n -= n > 0;
		else if (n == SECRET_MAX)
			return ingot_raise(err, -EFBIG, "more than %d bytes were typed",
					   SECRET_MAX);
		else
			text[n++] = c;
	}
	*ret_n = n;
	return 0;
}

int secret_ask(const char *what, char *text, size_t *ret_n, struct ingot_error *err)
{
	INGOT_CLOSE int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	struct terminal terminal = {.fd = fd};
	int rc;

	if (fd < 0)
		return ingot_raise(err, -ENOKEY,
				   "it is needed, and there is no terminal to ask at");
	rc = hush(&terminal, err);
	if (rc < 0)
		return rc;
	(void)dprintf(fd, "Enter the %s: ", what);
	rc = type(fd, text, ret_n, err);
	restore(&terminal);
	return rc;
}
