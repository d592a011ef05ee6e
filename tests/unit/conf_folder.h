/* A folder of the test's own with room for a settings file and a secret. */
#ifndef UNIT_CONF_FOLDER_H
#define UNIT_CONF_FOLDER_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[] = "/tmp/guichet-conf-XXXXXX";
static char conf_path[64], secret_path[64];

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return 1;
    (void)snprintf(conf_path, sizeof conf_path, "%s/test.conf", folder);
    (void)snprintf(secret_path, sizeof secret_path, "%s/secret", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(conf_path);
    (void)unlink(secret_path);
    return rmdir(folder);
}

#endif
