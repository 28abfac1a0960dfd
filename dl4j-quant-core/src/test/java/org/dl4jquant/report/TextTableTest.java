// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;

final class TextTableTest {

    @Test
    void namesAreFlushLeftAndNumbersFlushRight() {
        String table =
                TextTable.of("", "float", "INT8")
                        .row("accuracy", "0.9812", "0.98")
                        .row("bytes", "1725440", "")
                        .toString();
        assertEquals(
                List.of(
                        "            float  INT8",
                        "-----------------------",
                        "accuracy   0.9812  0.98",
                        "bytes     1725440"),
                table.lines().toList());
    }

    @Test
    void refusesARowOfAnotherWidthAndATableWithoutColumns() {
        assertEquals(
                "row [a] has 1 cells, but the table has 2 columns",
                assertThrows(IllegalArgumentException.class, () -> TextTable.of("", "x").row("a"))
                        .getMessage());
        assertEquals(
                "a table needs one column at least",
                assertThrows(IllegalArgumentException.class, TextTable::of).getMessage());
    }
}
