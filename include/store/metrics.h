/* Progress as numbers: how much is not done yet, and since when. */
#ifndef STORE_METRICS_H
#define STORE_METRICS_H

#include "base/buf.h"
#include "store/db.h"

/* A step inside a unit: writes all of them in Prometheus' text format 0.0.4. What is open never
 * lacks its gauge for lack of traffic: the numbers are counted when they are asked for. */
enum err metrics_write(struct db *db, struct buf *out) MUST_CHECK;

#endif
