// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

/** No choice of the groups meets the budgets; the message says by how much the cheapest misses. */
public final class OverBudgetException extends IllegalArgumentException {

    private static final long serialVersionUID = 1L;

    OverBudgetException(String message) {
        super(message);
    }
}
