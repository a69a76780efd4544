// Calls a server of unary gRPC methods with grpc-go and prints what came of it, one line a case, for test/peers.e2e.ts.
// The messages are bytes: the server under test knows no types either.
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/gzip"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
)

// asIs hands messages on as they are.
type asIs struct{}

func (asIs) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }
func (asIs) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = append([]byte(nil), data...)
	return nil
}
func (asIs) Name() string { return "bytes" }

func call(ctx context.Context, conn *grpc.ClientConn, method string, message []byte, options ...grpc.CallOption) ([]byte, error) {
	var answer []byte
	err := conn.Invoke(ctx, method, &message, &answer, append(options, grpc.ForceCodec(asIs{}))...)
	return answer, err
}

func main() {
	encoding.RegisterCodec(asIs{})
	conn, err := grpc.NewClient(os.Args[1],
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: time.Second, PermitWithoutStream: true}))
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()

	for _, size := range []int{0, 1, 5000, 16384, 100_000, 5_000_000} {
		message := bytes.Repeat([]byte("x"), size)
		answer, err := call(ctx, conn, "/a.B/Echo", message)
		fmt.Printf("echo %d: %s %v\n", size, status.Code(err), bytes.Equal(answer, message))
	}

	_, err = call(ctx, conn, "/a.B/Fail", []byte("x"))
	fmt.Printf("fail: %s %s\n", status.Code(err), status.Convert(err).Message())
	_, err = call(ctx, conn, "/a.B/Nothing", []byte("x"))
	fmt.Printf("unknown: %s\n", status.Code(err))
	_, err = call(ctx, conn, "/a.B/Echo", []byte("x"), grpc.UseCompressor(gzip.Name))
	fmt.Printf("gzip: %s\n", status.Code(err))

	short, stop := context.WithTimeout(ctx, 50*time.Millisecond)
	_, err = call(short, conn, "/a.B/Never", []byte("x"))
	stop()
	fmt.Printf("deadline: %s\n", status.Code(err))

	gone, leave := context.WithCancel(ctx)
	time.AfterFunc(20*time.Millisecond, leave)
	_, err = call(gone, conn, "/a.B/Never", []byte("x"))
	fmt.Printf("cancel: %s\n", status.Code(err))

	health := healthpb.NewHealthClient(conn)
	state, err := health.Check(ctx, &healthpb.HealthCheckRequest{})
	fmt.Printf("health: %s %s\n", status.Code(err), state.GetStatus())
	_, err = health.Check(ctx, &healthpb.HealthCheckRequest{Service: "a.Other"})
	fmt.Printf("health of another: %s\n", status.Code(err))

	var wait sync.WaitGroup
	var lock sync.Mutex
	wrong := 0
	for worker := 0; worker < 50; worker++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for i := 0; i < 100; i++ {
				message := []byte(strings.Repeat(fmt.Sprintf("%d/%d ", worker, i), i*10+1))
				method := "/a.B/Echo"
				if i%2 == 1 {
					method = "/a.B/Later"
				}
				if answer, err := call(ctx, conn, method, message); err != nil || !bytes.Equal(answer, message) {
					lock.Lock()
					wrong++
					lock.Unlock()
				}
			}
		}()
	}
	wait.Wait()
	fmt.Printf("5000 calls of 50 at a time: %d wrong\n", wrong)
}
