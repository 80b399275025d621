using System.Net;
using System.Net.Sockets;

namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>
/// A resolver on the sending side in front of the laboratory's validating one, which can be made to answer as bad resolvers do.
/// </summary>
/// <remarks>It changes two flags of a message (RFC 4035 sections 3.2.2 and 3.2.3) and nothing else: CD in the question, AD in the reply.</remarks>
public sealed class MoodyResolver : IAsyncDisposable
{
    private const int Flags = 3; // the second octet of the flags: RA Z AD CD RCODE
    private const byte AuthenticData = 0x20;
    private const byte CheckingDisabled = 0x10;
    private const byte ServerFailure = 2;
    private static readonly IPEndPoint Validating = new(IPAddress.Loopback, 53);

    private readonly Sandbox _sandbox;
    private readonly Socket _socket;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private volatile ResolverMood _mood;
    private int _asked;

    /// <param name="sandbox">Where it runs.</param>
    /// <param name="address">A loopback address that nobody else has.</param>
    /// <param name="mood">How it answers until <see cref="Turn"/>.</param>
    public MoodyResolver(Sandbox sandbox, IPAddress address, ResolverMood mood = ResolverMood.Validating)
    {
        ArgumentNullException.ThrowIfNull(sandbox);
        _sandbox = sandbox;
        _mood = mood;
        Address = address;
        _socket = sandbox.BindOnSender(new IPEndPoint(address, 53), ProtocolType.Udp);
        _loop = ServeAsync();
    }

    public IPAddress Address { get; }

    /// <summary>How many questions it has got.</summary>
    public int Asked => Volatile.Read(ref _asked);

    /// <summary>Every answer is held back until this ends.</summary>
    public Task Held { get; set; } = Task.CompletedTask;

    /// <summary>Answers like this from the next question on.</summary>
    public void Turn(ResolverMood mood) => _mood = mood;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _socket.Dispose();
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        var buffer = new byte[4096];
        var anyone = new IPEndPoint(IPAddress.Any, 0);
        var answers = new HashSet<Task>();
        try
        {
            while (true)
            {
                var received = await _socket.ReceiveFromAsync(buffer, SocketFlags.None, anyone, _stop.Token);
                Interlocked.Increment(ref _asked);
                answers.RemoveWhere(answer => answer.IsCompleted);
                if (received.ReceivedBytes > 12) answers.Add(AnswerAsync(buffer[..received.ReceivedBytes], received.RemoteEndPoint));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(answers);
        }
    }

    private async Task AnswerAsync(byte[] question, EndPoint client)
    {
        var mood = _mood;
        if (mood == ResolverMood.Gone) return;
        try
        {
            await Held.WaitAsync(_stop.Token);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        var checkingDisabled = (question[Flags] & CheckingDisabled) != 0;
        byte[] reply;
        if (mood == ResolverMood.Bogus && !checkingDisabled)
        {
            reply = question;
            reply[2] |= 0x80; // a response
            reply[Flags] = (byte)((reply[Flags] & 0xf0 & ~AuthenticData) | ServerFailure);
        }
        else
        {
            if (mood is ResolverMood.NotValidating or ResolverMood.Forging) question[Flags] |= CheckingDisabled;
            if (await ForwardAsync(question) is not { } forwarded) return;
            reply = forwarded;
            if (mood == ResolverMood.NotValidating) reply[Flags] &= unchecked((byte)~AuthenticData);
            if (mood == ResolverMood.Forging) reply[Flags] |= AuthenticData;
            if (!checkingDisabled) reply[Flags] &= unchecked((byte)~CheckingDisabled);
        }

        try
        {
            await _socket.SendToAsync(reply, SocketFlags.None, client, _stop.Token);
        }
        catch (Exception gone) when (gone is OperationCanceledException or SocketException)
        {
            // Nobody waits for it any more.
        }
    }

    private async Task<byte[]?> ForwardAsync(byte[] question)
    {
        using var socket = _sandbox.BindOnSender(new IPEndPoint(IPAddress.Loopback, 0), ProtocolType.Udp);
        var reply = new byte[4096];
        try
        {
            await socket.ConnectAsync(Validating, _stop.Token);
            await socket.SendAsync(question, _stop.Token);
            return reply[..await socket.ReceiveAsync(reply, _stop.Token)];
        }
        catch (Exception gone) when (gone is OperationCanceledException or SocketException)
        {
            return null;
        }
    }
}
