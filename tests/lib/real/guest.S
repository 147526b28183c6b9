# SPDX-License-Identifier: Apache-2.0
# A guest as small as can be: one boot sector, for a BIOS, of 16 bits. Its disks are its
# memory; guest.py assembles it, and disks.py reads what it writes:
#
#   sector 1   "boots NNNNNNNN\n"                  how often the first disk was booted
#   sector 2   "beats NNNNNNNN boot MMMMMMMM\n"    grows once a second while a guest runs,
#                                                 on each disk that the BIOS has; the boot
#                                                 says which guest has written it
#
# On the first serial port, and on the screen: "boot NNNNNNNN from disk" once, then
# "beat NNNNNNNN" each second; "disk error" where a read or write fails. It sleeps in
# between, and costs about a hundredth of a core under TCG. With BUSY it writes
# eight MiB of its memory at each tick: whoever copies that slowly never gets to its end.
        .code16
        .globl  _start
_start: cli
        xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %es
        mov     %ax, %ss
        mov     $0x7c00, %sp
        sti
        cld
        mov     $boots, %di
        call    bump
        mov     $boots+6, %si           # each beat tells the boot
        mov     $beats+20, %di
        mov     $8, %cx
        rep movsb
        mov     $boot, %si
        call    print
        mov     $boots+6, %si
        call    number
        mov     $from, %si
        call    print
        movb    $2, lba
beat:   mov     0x475, %al              # the BIOS counts its disks here
        add     $0x7f, %al
        mov     %al, drive
1:      mov     $beats, %di             # the first disk comes last
        call    bump
        decb    drive
        js      1b                      # 0x80 and more are disks
        movb    $0x80, drive
        mov     $beatw, %si
        call    print
        mov     $beats+6, %si
        call    number
        mov     $crlf, %si
        call    print
        mov     $18, %cx                # ticks of the BIOS clock in a second
tick:   mov     0x46c, %ax
wait:
        .ifdef  BUSY
        cli
        lgdt    gdt
        mov     %cr0, %eax
        inc     %ax                     # for a moment: es may reach all memory then
        mov     %eax, %cr0
        mov     $8, %bx
        mov     %bx, %es
        dec     %ax
        mov     %eax, %cr0
        mov     $0x400000, %ebx
2:      incw    %es:(%ebx)              # a word of each page from 4 to 12 MiB: a byte is
                                        # zero every 14 s, and zeros cost nothing to copy
        add     $0x1000, %ebx
        cmp     $0xc00000, %ebx
        jb      2b
        push    %ds
        pop     %es
        sti
        mov     0x46c, %ax
        .endif
        hlt
        cmp     0x46c, %ax
        je      wait
        loop    tick
        jmp     beat

# Read the sector lba, add one to the eight digits at its sixth byte, write it back.
# di: the text that is written if none was ever; the digits are put there, too.
bump:   push    %di
        mov     $0x42, %ah
        call    disk
        pop     %di
        mov     $buffer+13, %bx
        cmpb    $'b', buffer
        je      2f
        mov     $8, %cx                 # never written: start from zeros
        mov     $'0', %al
1:      mov     %al, (%bx)
        dec     %bx
        loop    1b
        mov     $buffer+13, %bx
2:      incb    (%bx)
        cmpb    $'9', (%bx)
        jbe     3f
        movb    $'0', (%bx)
        dec     %bx
        jmp     2b
3:      mov     $buffer+6, %si          # the number into the text
        push    %di
        add     $6, %di
        mov     $8, %cx
        rep movsb
        pop     %si                     # and all of the text onto the disk
        mov     $buffer, %di
        mov     $32, %cx
        rep movsb
        mov     $0x43, %ah
disk:   xor     %al, %al
        mov     drive, %dl
        mov     $dap, %si
        int     $0x13
        jnc     4f
        mov     $error, %si
        call    print
4:      ret

number: mov     $8, %cx
5:      lodsb
        call    put
        loop    5b
        ret
print:  lodsb
        test    %al, %al
        jz      4b
        call    put
        jmp     print
put:    pusha
        mov     $7, %bx
        mov     $0x0e, %ah
        int     $0x10
        popa
        pusha
        mov     $0x3fd, %dx
        mov     %al, %bl
6:      in      %dx, %al
        test    $0x20, %al
        jz      6b
        mov     %bl, %al
        mov     $0x3f8, %dx
        out     %al, %dx
        popa
        ret

drive:  .byte   0x80
dap:    .byte   16, 0
        .word   1, buffer, 0
lba:    .quad   1
boots:  .ascii  "boots 00000000\n\0"
        .fill   16
beats:  .ascii  "beats 00000000 boot 00000000\n\0\0\0"
boot:   .asciz  "boot "
from:   .asciz  " from disk\r\n"
beatw:  .asciz  "beat "
error:  .asciz  "disk error\r\n"
crlf:   .asciz  "\r\n"
        .ifdef  BUSY
gdt:    .word   15, gdt, 0, 0           # its first entry is its own address
        .word   0xffff, 0, 0x9200, 0xcf
        .endif
        .org    446                     # without a partition, glance and Nova refuse it
        .byte   0x80, 0, 2, 0, 0x83, 0, 2, 0
        .long   1, 2047
        .org    510
        .word   0xaa55
        .equ    buffer, 0x8000
