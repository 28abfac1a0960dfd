// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.dl4jquant.check.Require;

/** Reads the parts of a cubin, an ELF file of 64 bits, that describe its kernels. */
final class CubinReader {

    /* A kernel "k" has its code in the section ".text.k" and its static shared memory in ".nv.shared.k".
     * The section ".nv.info" holds, for all kernels, entries of a format, an attribute, and either a
     * 16-bit value or the size of what follows; those read here are a symbol's index and a number. */

    private static final int MAGIC = 0x464c457f;
    private static final byte CLASS_64 = 2;
    private static final short MACHINE_CUDA = 190;
    private static final int ABI = 7;
    private static final byte ABI_CUDA_12 = 51;
    private static final int FLAGS = 48;
    private static final int HEADER_BYTES = 64;
    private static final int SECTION_BYTES = 64;
    private static final int SYMBOL_BYTES = 24;
    private static final int SYMBOL_TABLE = 2;
    private static final int NO_BITS = 8;

    private static final int FORMAT_SIZED = 4;
    private static final int FRAME_SIZE = 0x11;
    private static final int REGISTER_COUNT = 0x2f;

    private static final int INSTRUCTION_BYTES = 16;
    private static final long OPCODE = 0xfff;
    private static final int WIDTH_SHIFT = 9;

    private static final String RESERVED_MARK = ".nv.shared.reserved.0";
    private static final int RESERVED_BYTES = 1024;

    private final ByteBuffer file;
    private final List<Section> sections = new ArrayList<>();

    private record Section(String name, int type, ByteBuffer content, long size, int link) {}

    CubinReader(byte[] cubin) {
        file = ByteBuffer.wrap(cubin).order(ByteOrder.LITTLE_ENDIAN);
        Require.argument(
                cubin.length >= HEADER_BYTES
                        && file.getInt(0) == MAGIC
                        && file.get(4) == CLASS_64
                        && file.getShort(18) == MACHINE_CUDA,
                "these %d bytes are no cubin: they do not begin as an ELF file for CUDA does",
                cubin.length);
    }

    /**
     * {@return the architecture's number, such as 80; compilers since CUDA 13 keep it elsewhere}
     */
    int capability() {
        int flags = file.getInt(FLAGS);
        return (file.get(ABI) == ABI_CUDA_12 ? flags : flags >> Byte.SIZE) & 0xff;
    }

    /**
     * {@return the instructions of a kernel, after {@link #kernels()}}
     *
     * @param kernel its name
     */
    ByteBuffer code(String kernel) {
        return named(".text." + kernel).get(0).content();
    }

    /** {@return the kernels by their names} */
    SortedMap<String, CubinInspection> kernels() {
        try {
            readSections();
            return inspect();
        } catch (BufferUnderflowException | IndexOutOfBoundsException | ArithmeticException e) {
            throw new IllegalArgumentException(
                    "the cubin of " + file.capacity() + " bytes is damaged or cut off", e);
        }
    }

    private void readSections() {
        long table = file.getLong(40);
        int count = Short.toUnsignedInt(file.getShort(60));
        ByteBuffer names = content(table, Short.toUnsignedInt(file.getShort(62)));
        for (int i = 0; i < count; i++) {
            ByteBuffer header = slice(table + (long) i * SECTION_BYTES, SECTION_BYTES);
            sections.add(
                    new Section(
                            string(names, header.getInt(0)),
                            header.getInt(4),
                            content(table, i),
                            header.getLong(32),
                            header.getInt(40)));
        }
    }

    /* A section without bits in the file has a size, but no content. */
    private ByteBuffer content(long table, int index) {
        ByteBuffer header = slice(table + (long) index * SECTION_BYTES, SECTION_BYTES);
        boolean inFile = header.getInt(4) != NO_BITS;
        return inFile ? slice(header.getLong(24), header.getLong(32)) : slice(0, 0);
    }

    private ByteBuffer slice(long from, long bytes) {
        return file.slice(Math.toIntExact(from), Math.toIntExact(bytes))
                .order(ByteOrder.LITTLE_ENDIAN);
    }

    private static String string(ByteBuffer names, int from) {
        int end = from;
        while (names.get(end) != 0) {
            end++;
        }
        byte[] bytes = new byte[end - from];
        names.get(from, bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private SortedMap<String, CubinInspection> inspect() {
        Map<String, Integer> registers = attribute(REGISTER_COUNT);
        Map<String, Integer> frames = attribute(FRAME_SIZE);
        SortedMap<String, CubinInspection> kernels = new TreeMap<>();
        for (Map.Entry<String, Integer> kernel : registers.entrySet()) {
            String name = kernel.getKey();
            for (Section code : named(".text." + name)) {
                kernels.put(
                        name,
                        new CubinInspection(
                                kernel.getValue(),
                                frames.getOrDefault(name, 0),
                                localBytes(code.content(), CubinInspection.Opcode.STL),
                                localBytes(code.content(), CubinInspection.Opcode.LDL),
                                shared(name),
                                opcodes(code.content())));
            }
        }
        Require.argument(!kernels.isEmpty(), "the cubin has no kernel");
        return kernels;
    }

    /* From sm_90 on a kernel's section begins with the 1 KiB that the system takes of every block's
     * shared memory; another section marks it. */
    private int shared(String name) {
        long own = named(".nv.shared." + name).stream().mapToLong(Section::size).sum();
        long reserved = named(RESERVED_MARK).isEmpty() ? 0 : RESERVED_BYTES;
        return Math.toIntExact(Math.max(0, own - reserved));
    }

    private List<Section> named(String name) {
        return sections.stream().filter(section -> section.name().equals(name)).toList();
    }

    private Map<String, Integer> attribute(int wanted) {
        Map<String, Integer> values = new HashMap<>();
        for (Section section : named(".nv.info")) {
            ByteBuffer info = section.content().duplicate().order(ByteOrder.LITTLE_ENDIAN);
            while (info.hasRemaining()) {
                int format = info.get();
                int attribute = Byte.toUnsignedInt(info.get());
                int size = Short.toUnsignedInt(info.getShort());
                if (format == FORMAT_SIZED) {
                    ByteBuffer payload = info.slice(info.position(), size).order(info.order());
                    if (attribute == wanted) {
                        values.put(symbol(payload.getInt(0)), payload.getInt(4));
                    }
                    info.position(info.position() + size);
                }
            }
        }
        return values;
    }

    private String symbol(int index) {
        for (Section table : sections) {
            if (table.type() == SYMBOL_TABLE) {
                ByteBuffer names = sections.get(table.link()).content();
                return string(names, table.content().getInt(index * SYMBOL_BYTES));
            }
        }
        throw new IllegalArgumentException("the cubin has no symbols");
    }

    /* An access to memory has its width in three bits: 8 bits twice, for both signs, 16 bits twice, then
     * 32, 64 and 128 bits. */
    private static int localBytes(ByteBuffer code, CubinInspection.Opcode opcode) {
        int bytes = 0;
        for (int at = 0; at + INSTRUCTION_BYTES <= code.limit(); at += INSTRUCTION_BYTES) {
            if ((code.getLong(at) & OPCODE) == opcode.code()) {
                int width = (int) (code.getLong(at + Long.BYTES) >> WIDTH_SHIFT) & 7;
                bytes += width < 4 ? 1 << (width / 2) : 1 << (width - 2);
            }
        }
        return bytes;
    }

    private static SortedMap<Integer, Integer> opcodes(ByteBuffer code) {
        SortedMap<Integer, Integer> counts = new TreeMap<>();
        for (int at = 0; at + INSTRUCTION_BYTES <= code.limit(); at += INSTRUCTION_BYTES) {
            counts.merge((int) (code.getLong(at) & OPCODE), 1, Integer::sum);
        }
        return counts;
    }
}
