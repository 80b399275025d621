using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using PolicyDaemon.Core.Discovery;

namespace PolicyDaemon.Probe.Dns;

/// <summary>One DNS question with the CD bit set (checking disabled), over UDP; only the response code of the reply is read.</summary>
/// <remarks>
/// DnsClient cannot set CD (RFC 4035 section 3.2.2). A resolver that answers SERVFAIL without it and NOERROR with it says: bogus.
/// A truncated reply says as much as a whole one. By hand because this one bit is all that is missing.
/// </remarks>
internal static class CheckingDisabledQuery
{
    private const int NoError = 0, NxDomain = 3;

    /// <returns>True where the name resolves without signatures being checked: the SERVFAIL before it meant bogus.</returns>
    public static async Task<bool> SucceedsAsync(IPEndPoint resolver, DnsQuestion question, CancellationToken cancellation)
    {
        if (!TryWrite(question.Name, question.Type, out var query))
            return false;
        using var socket = new Socket(resolver.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        var reply = new byte[4096];
        try
        {
            // Connected: the system drops what others send.
            await socket.ConnectAsync(resolver, cancellation);
            await socket.SendAsync(query, cancellation);
            while (true)
            {
                var length = await socket.ReceiveAsync(reply, cancellation);
                if (TryReadCode(reply.AsSpan(0, length), query, out var code))
                    return code is NoError or NxDomain;
            }
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static bool TryWrite(string name, DnsType type, out byte[] query)
    {
        query = [];
        if (!MxReader.IsHostName(name))
            return false;
        var message = new byte[12 + name.Length + 2 + 4];
        RandomNumberGenerator.Fill(message.AsSpan(0, 2));
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(2), 0x0110); // RD and CD, RFC 4035 section 4.6
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(4), 1);
        var at = 12;
        foreach (var label in name.Split('.'))
        {
            message[at++] = (byte)label.Length;
            at += Encoding.ASCII.GetBytes(label, message.AsSpan(at));
        }

        at++; // the root
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(at), (ushort)type);
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(at + 2), 1); // IN
        query = message;
        return true;
    }

    private static bool TryReadCode(ReadOnlySpan<byte> reply, ReadOnlySpan<byte> query, out int code)
    {
        code = -1;
        // The same identifier, a response, and the same question (RFC 5452 section 9.1).
        if (reply.Length < query.Length || !reply[..2].SequenceEqual(query[..2]) || (reply[2] & 0x80) == 0)
            return false;
        if (!reply[12..query.Length].SequenceEqual(query[12..]))
            return false;
        code = reply[3] & 0x0f;
        return true;
    }
}
