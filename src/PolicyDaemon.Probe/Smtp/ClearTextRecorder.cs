using System.Net.Sockets;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Probe.Smtp;

/// <summary>A stream between the socket and MailKit: bounds what a server may send, hands replies over as Postfix reads them, and records what MailKit does not tell.</summary>
/// <remarks>
/// In the clear it hands over one line at a time, so that nothing behind the reply to STARTTLS ever reaches the TLS layer; what
/// lies there was injected (the fault of CVE-2011-0411, from the client's side). It bounds lines, replies and the whole, and notes
/// reply codes. Once TLS has begun it only counts, and reads an alert that comes before any handshake message.
/// MailKit is stricter or laxer than Postfix's client here and there (see <see cref="PostfixReply"/>); it is handed what Postfix
/// would have understood, so that the probe goes where mail would go.
/// By hand because MailKit has no limits and does not say what it skips.
/// </remarks>
internal sealed class ClearTextRecorder(NetworkStream inner, StageClock clock) : Stream
{
    // RFC 5321 section 4.5.3.1.5 says 512; servers with long tokens in their greeting exist.
    private const int MaxLine = 4096;

    // RFC 5321 sets no limit for a reply of many lines; no honest EHLO reply comes near.
    private const int MaxReply = 64 * 1024;

    // A chain of certificates is the largest honest thing; OpenSSL's own limit for one is 100 KiB (SSL_CTX_set_max_cert_list).
    private const int MaxTotal = 1024 * 1024;

    private const int ServiceNotAvailable = 421; // RFC 5321 section 4.2.3: it closes by itself

    private readonly byte[] pending = new byte[4096];
    private int pendingStart;
    private int pendingEnd;
    private readonly List<byte> line = [];
    private ReadOnlyMemory<byte> handedOver;
    private int replyOctets;
    private int totalOctets;
    private bool awaitsClientHello;
    private PostfixReply reply = new("");

    /// <summary>The reply code of the last reply in the clear; 0 where that reply had none.</summary>
    public int LastCode { get; private set; }

    /// <summary>The last line that the server sent in the clear.</summary>
    public string LastLine { get; private set; } = "";

    /// <summary>The code of the reply to EHLO in the clear; 0 before that reply.</summary>
    public int EhloCode { get; private set; }

    /// <summary>Why Postfix would not see the STARTTLS that the server offers; null where Postfix would see it, or the server offers none.</summary>
    public string? HiddenStartTls { get; private set; }

    /// <summary>The limit or rule that the server broke, so that the dialogue was ended; null where it broke none.</summary>
    public ProbeOutcome? Violation { get; private set; }

    /// <summary>True where the last line in the clear was no part of a reply, and no reply followed it.</summary>
    public bool EndedInNonsense { get; private set; }

    /// <summary>The server has answered whatever was said to it in the clear, and goes on listening.</summary>
    public bool IsInStep => !IsTls && !SawEnd && Violation is null && reply.IsComplete && LastCode is > 0 and not ServiceNotAvailable;

    public bool SawEnd { get; private set; }

    public bool IsTls { get; private set; }

    public bool Injected { get; private set; }

    /// <summary>Octets received since TLS began.</summary>
    public int TlsOctets { get; private set; }

    /// <summary>The description of the TLS alert that the server sent instead of a handshake (RFC 8446 section 6), such as 40, handshake_failure; null where it sent none.</summary>
    public int? Alert { get; private set; }

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty)
            return 0;
        if (IsTls)
            return await ReadTlsAsync(buffer, cancellationToken);
        while (handedOver.IsEmpty)
        {
            if (!await ReadLineAsync(cancellationToken))
                return 0;
            handedOver = Follow([.. line]);
            line.Clear();
        }

        var count = Math.Min(handedOver.Length, buffer.Length);
        handedOver[..count].CopyTo(buffer);
        handedOver = handedOver[count..];
        return count;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (awaitsClientHello)
        {
            awaitsClientHello = false;
            // A server has nothing to say before it has seen our ClientHello.
            while (inner.DataAvailable)
            {
                Injected = true;
                if (await ReceiveAsync(pending, cancellationToken) == 0)
                    break;
            }
        }
        else if (!IsTls)
        {
            var verb = buffer.Span;
            var end = verb.IndexOfAny((byte)' ', (byte)'\r');
            // What the greeting was tells what EHLO will be.
            reply = new PostfixReply(PeerText.Escape(end < 0 ? verb : verb[..end])) { After = reply };
            replyOctets = 0;
        }

        await inner.WriteAsync(buffer, cancellationToken);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override void Flush() => inner.Flush();

    // Everything here has a deadline, which only the asynchronous calls know.
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }

    private async ValueTask<int> ReadTlsAsync(Memory<byte> buffer, CancellationToken cancellation)
    {
        var count = await ReceiveAsync(buffer, cancellation);
        // One alert record: type 21, version, length 2, level, description. OpenSSL asks for the header first, then for the rest.
        if (TlsOctets < 7)
        {
            foreach (var octet in buffer.Span[..Math.Min(count, 7 - TlsOctets)])
                line.Add(octet);
            if (line is [21, 3, _, 0, 2, _, var description])
                Alert = description;
        }

        TlsOctets += count;
        return count;
    }

    private async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellation)
    {
        var count = await inner.ReadAsync(buffer, cancellation);
        SawEnd |= count == 0;
        totalOctets += count;
        if (totalOctets > MaxTotal)
            Break(ProbeOutcome.ReplyTooLong);
        return count;
    }

    /// <summary>Collects one line, its line end included.</summary>
    private async ValueTask<bool> ReadLineAsync(CancellationToken cancellation)
    {
        while (true)
        {
            if (pendingStart == pendingEnd)
            {
                pendingStart = 0;
                pendingEnd = await ReceiveAsync(pending, cancellation);
                if (pendingEnd == 0)
                    return false;
            }

            var rest = pending.AsMemory(pendingStart, pendingEnd - pendingStart);
            var newline = rest.Span.IndexOf((byte)'\n');
            var piece = rest[..(newline < 0 ? rest.Length : newline + 1)];
            pendingStart += piece.Length;
            replyOctets += piece.Length;
            line.AddRange(piece.Span);
            if (line.Count > MaxLine || replyOctets > MaxReply)
            {
                LastLine = PeerText.Escape([.. line]);
                Break(ProbeOutcome.ReplyTooLong);
            }

            if (newline >= 0)
                return true;
        }
    }

    /// <summary>Records a line of the server.</summary>
    /// <returns>The line to hand to MailKit in its place.</returns>
    private ReadOnlyMemory<byte> Follow(byte[] whole)
    {
        LastLine = PeerText.Escape(whole.AsSpan().TrimEnd("\r\n"u8));
        var read = reply.Read(whole);
        EndedInNonsense = reply.IsNonsense;
        if (!reply.IsComplete)
            return read;

        replyOctets = 0;
        LastCode = reply.Code;
        if (reply.Command == "EHLO")
        {
            EhloCode = reply.Code;
            HiddenStartTls = reply.HiddenStartTls;
        }

        if (reply is not { Command: "STARTTLS", Code: >= 200 and < 300 })
            return read;
        Injected = pendingStart < pendingEnd;
        pendingStart = pendingEnd = 0;
        IsTls = awaitsClientHello = true;
        clock.Enter(ProbeStage.Handshake);
        return read;
    }

    private void Break(ProbeOutcome violation)
    {
        Violation = violation;
        throw new IOException(violation.Name());
    }
}
