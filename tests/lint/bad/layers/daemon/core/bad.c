/* A core that reaches up and out. write(1, "in a comment", 3) is none. */
#include <zmq.h>
#include <openssl/evp.h>
#include "base/message.h"
#include "net/net.h"
#include "../net/session.h"

void say(int file)
{
	const char *text = "fsync(file) in a literal is none";
	sink->write(text);
	write(file, text, 1);
	fdatasync (file);
}
