// SPDX-License-Identifier: Apache-2.0

/**
 * Files that are whole or not there, and readers that believe no file.
 *
 * <p>In: what shall be kept, or bytes of unknown origin. Out: a file that replaces the former one
 * only when it is complete and on the disk ({@link org.dl4jquant.files.WholeFile}), logs that grow
 * by checked lines, checksums, and sizes that were compared with the bytes that are there before
 * anything was allocated ({@link org.dl4jquant.files.Bounds}). Uses nothing but argument checks.
 * Nobody else in the library opens files to overwrite them.
 */
@NullMarked
package org.dl4jquant.files;

import org.jspecify.annotations.NullMarked;
